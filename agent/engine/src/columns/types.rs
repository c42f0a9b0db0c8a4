//! Data types by the names that the schemas use.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields, TimeUnit};

pub(super) fn header_fields() -> Fields {
    Fields::from(vec![Field::new("name", DataType::Utf8, true), Field::new("value", DataType::Utf8, true)])
}

/// Nanoseconds since the epoch, UTC.
pub fn time() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, None)
}

/// Text of few different values.
pub fn word() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// Headers in the order as sent.
pub fn headers() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Struct(header_fields()), true)))
}

/// A list of numbers.
pub fn int_list() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Int32, true)))
}

/// A field that holds a UUID (the canonical extension type).
pub fn uuid(name: &str) -> FieldRef {
    let metadata = HashMap::from([
        ("ARROW:extension:name".to_string(), "arrow.uuid".to_string()),
        ("ARROW:extension:metadata".to_string(), String::new()),
    ]);
    Arc::new(Field::new(name, DataType::FixedSizeBinary(16), false).with_metadata(metadata))
}

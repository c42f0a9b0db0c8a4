//! Columns of lists: headers, numbers.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int32Array, ListArray, StructArray};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field};

use super::types::header_fields;
use super::{Bytes, Validity};

/// A column of lists of (name, value).
pub struct Pairs {
    offsets: Vec<i32>,
    /// Names of the headers of all rows.
    pub names: Bytes,
    /// Values of the headers of all rows.
    pub values: Bytes,
    validity: Validity,
}

impl Default for Pairs {
    fn default() -> Self {
        Self { offsets: vec![0], names: Bytes::default(), values: Bytes::default(), validity: Validity::default() }
    }
}

impl Pairs {
    /// Ends a row after its names and values were appended; `valid` false: null.
    #[inline]
    pub fn end_row(&mut self, valid: bool) {
        debug_assert_eq!(self.names.rows(), self.values.rows());
        self.validity.push(valid);
        self.offsets.push(self.names.rows() as i32);
    }

    /// Takes the column.
    pub fn take(&mut self) -> ArrayRef {
        let offsets = std::mem::replace(&mut self.offsets, vec![0]);
        let names = self.names.take_text();
        let values = self.values.take_text();
        let pairs = StructArray::new(header_fields(), vec![Arc::new(names), Arc::new(values)], None);
        let item = Arc::new(Field::new_list_field(pairs.data_type().clone(), true));
        Arc::new(ListArray::new(
            item,
            OffsetBuffer::new(ScalarBuffer::from(offsets)),
            Arc::new(pairs),
            self.validity.take(),
        ))
    }
}

/// A column of lists of integers.
pub struct IntLists {
    offsets: Vec<i32>,
    values: Vec<i32>,
    validity: Validity,
}

impl Default for IntLists {
    fn default() -> Self {
        Self { offsets: vec![0], values: Vec::new(), validity: Validity::default() }
    }
}

impl IntLists {
    /// Appends a list; an empty one is null.
    #[inline]
    pub fn push(&mut self, values: &[i32]) {
        self.validity.push(!values.is_empty());
        self.values.extend_from_slice(values);
        self.offsets.push(self.values.len() as i32);
    }

    /// Takes the column.
    pub fn take(&mut self) -> ArrayRef {
        let offsets = std::mem::replace(&mut self.offsets, vec![0]);
        let values = Int32Array::from(std::mem::take(&mut self.values));
        let item = Arc::new(Field::new_list_field(DataType::Int32, true));
        Arc::new(ListArray::new(
            item,
            OffsetBuffer::new(ScalarBuffer::from(offsets)),
            Arc::new(values),
            self.validity.take(),
        ))
    }
}

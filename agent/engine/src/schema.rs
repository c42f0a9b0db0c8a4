//! The Arrow schemas of what leaves the engine; `tapper/model/schema.py` documents the columns, a test compares.

use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};

use crate::columns::types;

/// Counts the changes to the schemas.
pub const VERSION: u32 = 2;

fn required(name: &str, data_type: DataType) -> FieldRef {
    Arc::new(Field::new(name, data_type, false))
}

fn optional(name: &str, data_type: DataType) -> FieldRef {
    Arc::new(Field::new(name, data_type, true))
}

fn schema(fields: Vec<FieldRef>) -> SchemaRef {
    Arc::new(Schema::new(fields))
}

/// One request and its response: the narrow columns.
pub static EXCHANGE: LazyLock<SchemaRef> = LazyLock::new(|| {
    use DataType::{Int32, Int64, UInt16, UInt32, UInt64, Utf8};
    schema(vec![
        types::uuid("id"),
        required("revision", UInt16),
        required("time", types::time()),
        required("protocol", types::word()),
        optional("version", types::word()),
        optional("operation", Utf8),
        optional("target", Utf8),
        optional("authority", Utf8),
        optional("status", Int32),
        optional("status_text", Utf8),
        required("outcome", types::word()),
        optional("error", Utf8),
        optional("send_ns", Int64),
        optional("wait_ns", Int64),
        optional("receive_ns", Int64),
        optional("latency_ns", Int64),
        required("src_ip", types::word()),
        required("src_port", UInt16),
        required("dst_ip", types::word()),
        required("dst_port", UInt16),
        optional("view", types::word()),
        optional("request_head_bytes", UInt32),
        optional("request_body_bytes", UInt64),
        optional("request_content_bytes", UInt64),
        optional("request_content_type", Utf8),
        optional("response_head_bytes", UInt32),
        optional("response_body_bytes", UInt64),
        optional("response_content_bytes", UInt64),
        optional("response_content_type", Utf8),
        required("connection", UInt64),
        optional("stream", UInt64),
        optional("request_seq", UInt32),
        optional("response_seq", UInt32),
        optional("trace_id", Utf8),
        optional("span_id", Utf8),
        optional("messages_sent", UInt32),
        optional("messages_received", UInt32),
        optional("first_message", types::time()),
        optional("last_message", types::time()),
        required("notes", UInt32),
    ])
});

/// Heads and bodies, a row for each row of [`EXCHANGE`].
pub static PAYLOAD: LazyLock<SchemaRef> = LazyLock::new(|| {
    schema(vec![
        types::uuid("id"),
        optional("request_headers", types::headers()),
        optional("request_trailers", types::headers()),
        optional("request_body", DataType::Binary),
        optional("response_headers", types::headers()),
        optional("response_trailers", types::headers()),
        optional("response_body", DataType::Binary),
        optional("response_reason", DataType::Utf8),
        optional("interim", types::int_list()),
    ])
});

/// Messages of streams.
pub static MESSAGE: LazyLock<SchemaRef> = LazyLock::new(|| {
    schema(vec![
        types::uuid("exchange"),
        required("index", DataType::UInt32),
        required("time", types::time()),
        required("direction", types::word()),
        required("kind", types::word()),
        optional("name", DataType::Utf8),
        required("bytes", DataType::UInt64),
        optional("content_bytes", DataType::UInt64),
        required("connection", DataType::UInt64),
        required("notes", DataType::UInt32),
    ])
});

/// Bodies of messages, a row for each row of [`MESSAGE`].
pub static MESSAGE_PAYLOAD: LazyLock<SchemaRef> = LazyLock::new(|| {
    schema(vec![types::uuid("exchange"), required("index", DataType::UInt32), optional("body", DataType::Binary)])
});

/// Flows.
pub static CONNECTION: LazyLock<SchemaRef> = LazyLock::new(|| {
    use DataType::{Int64, UInt16, UInt32, UInt64, Utf8};
    schema(vec![
        required("id", UInt64),
        required("revision", UInt16),
        required("time", types::time()),
        required("last_time", types::time()),
        required("transport", types::word()),
        required("src_ip", types::word()),
        required("src_port", UInt16),
        required("dst_ip", types::word()),
        required("dst_port", UInt16),
        optional("view", types::word()),
        required("protocol", types::word()),
        optional("reason", Utf8),
        required("state", types::word()),
        optional("handshake_ns", Int64),
        required("bytes_sent", UInt64),
        required("bytes_received", UInt64),
        required("packets_sent", UInt64),
        required("packets_received", UInt64),
        required("retransmits", UInt32),
        required("gaps", UInt32),
        required("gap_bytes", UInt64),
        required("exchanges", UInt32),
        optional("server_name", Utf8),
        optional("alpn", Utf8),
        required("notes", UInt32),
    ])
});

/// Counters.
pub static COUNTER: LazyLock<SchemaRef> = LazyLock::new(|| {
    schema(vec![
        required("time", types::time()),
        required("stage", types::word()),
        required("name", types::word()),
        required("value", DataType::UInt64),
    ])
});

/// All of them by name.
pub fn all() -> [(&'static str, SchemaRef); 6] {
    [
        ("exchange", EXCHANGE.clone()),
        ("payload", PAYLOAD.clone()),
        ("message", MESSAGE.clone()),
        ("message_payload", MESSAGE_PAYLOAD.clone()),
        ("connection", CONNECTION.clone()),
        ("counter", COUNTER.clone()),
    ]
}

//! Records as texts, to look at in tests.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampNanosecondType, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};

use crate::output::Batches;
use crate::packet::Nanos;

/// When every conversation begins.
pub const START: Nanos = 1_700_000_000_000_000_000;

/// A row as texts by column; what is null is missing.
pub type Row = HashMap<String, String>;

#[derive(Default, Debug)]
pub struct Records {
    pub exchanges: Vec<Row>,
    pub messages: Vec<Row>,
    pub connections: Vec<Row>,
}

impl Records {
    /// Of all rows.
    pub fn of(batches: Batches) -> Self {
        let mut records = Self::default();
        for (rows, parts) in [
            (&mut records.exchanges, [batches.exchanges, batches.payloads]),
            (&mut records.messages, [batches.messages, batches.message_payloads]),
            (&mut records.connections, [batches.connections, None]),
        ] {
            for batch in parts.into_iter().flatten() {
                rows.resize_with(batch.num_rows(), Row::new);
                for (at, row) in rows.iter_mut().enumerate() {
                    add(&batch, at, row);
                }
            }
        }
        records
    }

    /// Without the rows that a later revision replaces.
    pub fn newest(mut self) -> Self {
        for rows in [&mut self.exchanges, &mut self.connections] {
            let revision = |row: &Row| row["revision"].parse::<u32>().unwrap();
            let mut last: HashMap<String, u32> = HashMap::new();
            for row in rows.iter() {
                let known = last.entry(row["id"].clone()).or_default();
                *known = revision(row).max(*known);
            }
            rows.retain(|row| last[&row["id"]] == revision(row));
        }
        self
    }

    /// One line for each exchange: `GET /path 200 ok`.
    pub fn lines(&self) -> Vec<String> {
        let of = |row: &Row, name: &str| row.get(name).map_or("?", String::as_str).to_string();
        self.exchanges
            .iter()
            .map(|row| ["operation", "target", "status", "outcome"].map(|name| of(row, name)).join(" "))
            .collect()
    }

    /// One line for each message: direction and body.
    pub fn message_lines(&self) -> Vec<String> {
        self.messages
            .iter()
            .map(|row| format!("{} {}", row["direction"], row.get("body").map_or("?", String::as_str)))
            .collect()
    }
}

fn add(batch: &RecordBatch, row: usize, to: &mut Row) {
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if let Some(text) = show(column, row) {
            to.insert(field.name().clone(), text);
        }
    }
}

fn show(column: &dyn Array, row: usize) -> Option<String> {
    if column.is_null(row) {
        return None;
    }
    Some(match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row).into(),
        DataType::Binary => String::from_utf8_lossy(column.as_binary::<i32>().value(row)).into_owned(),
        DataType::FixedSizeBinary(_) => format!("{:02x?}", column.as_fixed_size_binary().value(row)),
        DataType::UInt16 => column.as_primitive::<UInt16Type>().value(row).to_string(),
        DataType::UInt32 => column.as_primitive::<UInt32Type>().value(row).to_string(),
        DataType::UInt64 => column.as_primitive::<UInt64Type>().value(row).to_string(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            (column.as_primitive::<TimestampNanosecondType>().value(row) - START).to_string()
        }
        DataType::Dictionary(..) => {
            let dictionary = column.as_dictionary::<Int32Type>();
            let key = dictionary.keys().value(row) as usize;
            dictionary.values().as_string::<i32>().value(key).into()
        }
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            if let Some(pairs) = items.as_struct_opt() {
                let text = |at: usize, row: usize| show(pairs.column(at), row).unwrap_or_else(|| "?".into());
                (0..pairs.len()).map(|row| format!("{}: {}\n", text(0, row), text(1, row))).collect()
            } else {
                (0..items.len()).filter_map(|row| show(&items, row)).collect::<Vec<_>>().join(" ")
            }
        }
        other => panic!("a column of {other}"),
    })
}

/// Whether a row has a note.
pub fn noted(row: &Row, note: u32) -> bool {
    row["notes"].parse::<u32>().unwrap() & note != 0
}

/// Without what depends on when it came, and in how many packets.
pub fn timeless(rows: &[Row]) -> Vec<Row> {
    let is_timed = |name: &str| {
        let of_time = name.ends_with("_ns") || name.ends_with("time") || name.ends_with("_message");
        of_time || matches!(name, "id" | "exchange" | "connection") || name.starts_with("packets")
    };
    let kept =
        |row: &Row| row.iter().filter(|(name, _)| !is_timed(name)).map(|(n, v)| (n.clone(), v.clone())).collect();
    rows.iter().map(kept).collect()
}

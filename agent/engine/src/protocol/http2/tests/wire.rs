//! Connections made by hand, through the real reassembly, and their records.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampNanosecondType, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};

use crate::config::{Config, MILLISECOND};
use crate::flow::Flows;
use crate::output::{Batches, Output};
use crate::packet::{Addr, Decoded, Endpoint, Nanos, Segment, Sight, flags};
use crate::protocol::http2::frame::{PREFACE, flag, kind};
use crate::stream::Side;

pub use Side::{Client, Server};

pub type Field<'a> = (&'a str, &'a str);

/// Makes field blocks, with a dynamic table such as real peers use.
pub struct Encoder {
    table: Vec<(String, String)>,
    max: usize,
    pub huffman: bool,
}

impl Default for Encoder {
    fn default() -> Self {
        Self { table: Vec::new(), max: 4096, huffman: true }
    }
}

impl Encoder {
    fn index(&self, is: impl Fn(&str, &str) -> bool) -> Option<usize> {
        let of_static = crate::protocol::http2::hpack::statics();
        of_static
            .iter()
            .position(|(n, v)| is(n, v))
            .map(|at| at + 1)
            .or_else(|| self.table.iter().position(|(n, v)| is(n, v)).map(|at| at + 62))
    }

    fn integer(out: &mut Vec<u8>, first: u8, bits: u32, value: usize) {
        let max = (1 << bits) - 1;
        if value < max {
            return out.push(first | value as u8);
        }
        out.push(first | max as u8);
        let mut rest = value - max;
        while rest >= 128 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }

    fn string(&self, out: &mut Vec<u8>, text: &str) {
        if self.huffman {
            let coded = crate::protocol::http2::hpack::huffman_encode(text.as_bytes());
            Self::integer(out, 0x80, 7, coded.len());
            out.extend(coded);
        } else {
            Self::integer(out, 0, 7, text.len());
            out.extend(text.as_bytes());
        }
    }

    /// A size update, to stand at the start of a block.
    pub fn resize(&mut self, max: usize) -> Vec<u8> {
        self.max = max;
        self.evict();
        let mut out = Vec::new();
        Self::integer(&mut out, 0x20, 5, max);
        out
    }

    fn evict(&mut self) {
        let size = |table: &[(String, String)]| table.iter().map(|(n, v)| n.len() + v.len() + 32).sum::<usize>();
        while size(&self.table) > self.max {
            self.table.pop();
        }
    }

    pub fn block(&mut self, fields: &[Field<'_>]) -> Vec<u8> {
        let mut out = Vec::new();
        for &(name, value) in fields {
            if let Some(index) = self.index(|n, v| n == name && v == value) {
                Self::integer(&mut out, 0x80, 7, index);
                continue;
            }
            let index = self.index(|n, _| n == name).unwrap_or(0);
            let never = name == "authorization";
            Self::integer(&mut out, if never { 0x10 } else { 0x40 }, if never { 4 } else { 6 }, index);
            if index == 0 {
                self.string(&mut out, name);
            }
            self.string(&mut out, value);
            if !never {
                self.table.insert(0, (name.into(), value.into()));
                self.evict();
            }
        }
        out
    }
}

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    out.extend([kind, flags]);
    out.extend(stream.to_be_bytes());
    out.extend(payload);
    out
}

pub fn data(stream: u32, payload: impl AsRef<[u8]>, end: bool) -> Vec<u8> {
    frame(kind::DATA, if end { flag::END_STREAM } else { 0 }, stream, payload.as_ref())
}

pub fn rst(stream: u32, code: u32) -> Vec<u8> {
    frame(kind::RST_STREAM, 0, stream, &code.to_be_bytes())
}

pub fn grpc(message: impl AsRef<[u8]>) -> Vec<u8> {
    let mut out = vec![0];
    out.extend((message.as_ref().len() as u32).to_be_bytes());
    out.extend(message.as_ref());
    out
}

/// A connection from 10.0.0.1:40001 to 10.0.0.2:50051, with the two ends' encoders.
pub struct Wire {
    pub out: Output,
    pub encoders: [Encoder; 2],
    flows: Flows,
    pub time: Nanos,
    seq: [u32; 2],
    /// Bytes of a segment.
    pub mss: usize,
}

const START: Nanos = 1_700_000_000_000_000_000;

fn ends() -> [Endpoint; 2] {
    [Endpoint { addr: Addr::v4([10, 0, 0, 1]), port: 40001 }, Endpoint { addr: Addr::v4([10, 0, 0, 2]), port: 50051 }]
}

impl Wire {
    /// Of which nothing was captured yet.
    pub fn joined() -> Self {
        let config = Config { redact_key: None, ..Config::default() };
        Self {
            out: Output::new(config),
            encoders: Default::default(),
            flows: Flows::default(),
            time: START,
            seq: [1000, 5000],
            mss: 1448,
        }
    }

    /// Just opened.
    pub fn opened() -> Self {
        let mut wire = Self::joined();
        wire.segment(Client, flags::SYN, &[], false);
        wire.seq[0] += 1;
        wire.segment(Server, flags::SYN | flags::ACK, &[], false);
        wire.seq[1] += 1;
        wire
    }

    /// After the preface and both ends' settings.
    pub fn new() -> Self {
        let mut wire = Self::opened();
        wire.send(Client, &[PREFACE, &frame(kind::SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0])].concat());
        wire.send(Server, &frame(kind::SETTINGS, 0, 0, &[]));
        wire
    }

    fn segment(&mut self, side: Side, flags: u8, payload: &[u8], lost: bool) {
        self.time += MILLISECOND;
        let (ends, at, peer) = (ends(), side as usize, side.peer() as usize);
        let segment = Segment {
            src: ends[at],
            dst: ends[peer],
            seq: self.seq[at],
            ack: self.seq[peer],
            flags: flags | if flags & flags::SYN == 0 { flags::ACK } else { 0 },
            window: 1000,
            payload,
            cut: 0,
            sight: Sight::default(),
        };
        self.seq[at] += payload.len() as u32;
        if !lost {
            self.flows.packet(&Decoded::Tcp(segment), self.time, &mut self.out);
        }
    }

    pub fn send(&mut self, side: Side, bytes: &[u8]) -> &mut Self {
        for piece in bytes.chunks(self.mss) {
            self.segment(side, 0, piece, false);
        }
        self
    }

    /// Bytes that were sent but not captured.
    pub fn lose(&mut self, side: Side, bytes: &[u8]) -> &mut Self {
        self.segment(side, 0, bytes, true);
        // The peer acknowledges them, so that it is certain.
        self.segment(side.peer(), 0, &[], false);
        self
    }

    pub fn head(&mut self, side: Side, stream: u32, fields: &[Field<'_>], end: bool) -> Vec<u8> {
        let block = self.encoders[side as usize].block(fields);
        frame(kind::HEADERS, flag::END_HEADERS | if end { flag::END_STREAM } else { 0 }, stream, &block)
    }

    /// GET of a path.
    pub fn get(&mut self, stream: u32, path: &str) -> Vec<u8> {
        let fields = [(":method", "GET"), (":scheme", "http"), (":path", path), (":authority", "shop:80")];
        self.head(Client, stream, &fields, true)
    }

    /// A response with a body.
    pub fn answer(&mut self, stream: u32, status: &str, body: &str) -> Vec<u8> {
        let fields = [(":status", status), ("content-type", "text/plain"), ("server", "test")];
        [self.head(Server, stream, &fields, false), data(stream, body, true)].concat()
    }

    /// A gRPC request's head.
    pub fn call(&mut self, stream: u32, path: &str) -> Vec<u8> {
        let fields = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", path),
            (":authority", "shop:50051"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
        ];
        self.head(Client, stream, &fields, false)
    }

    pub fn accept(&mut self, stream: u32) -> Vec<u8> {
        self.head(Server, stream, &[(":status", "200"), ("content-type", "application/grpc")], false)
    }

    pub fn status(&mut self, stream: u32, code: &str, message: &str) -> Vec<u8> {
        self.head(Server, stream, &[("grpc-status", code), ("grpc-message", message)], true)
    }

    pub fn pause(&mut self, time: Nanos) -> &mut Self {
        self.time += time;
        self.flows.tick(self.time, &mut self.out);
        self
    }

    pub fn report(&mut self) -> Records {
        self.flows.report(self.time, &mut self.out);
        Records::of(self.out.take())
    }

    pub fn close(&mut self, first: Side) -> &mut Self {
        self.segment(first, flags::FIN, &[], false);
        self.seq[first as usize] += 1;
        self.segment(first.peer(), flags::FIN, &[], false);
        self.seq[first.peer() as usize] += 1;
        self
    }

    pub fn held(&self) -> usize {
        self.flows.held()
    }

    /// What came of it so far.
    pub fn records(&mut self) -> Records {
        Records::of(self.out.take())
    }

    /// What came of it when the capture ends here.
    pub fn end(mut self) -> Records {
        self.flows.end(&mut self.out);
        self.records()
    }
}

/// A row as texts by column; what is null is missing.
pub type Row = HashMap<String, String>;

#[derive(Default, Debug)]
pub struct Records {
    pub exchanges: Vec<Row>,
    pub messages: Vec<Row>,
    pub connections: Vec<Row>,
}

impl Records {
    fn of(batches: Batches) -> Self {
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

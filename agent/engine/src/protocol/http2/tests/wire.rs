//! Connections made by hand, through the real reassembly, and their records.

use super::capture::{Tape, packet};
pub use super::encoder::*;
pub use super::records::*;
use crate::config::{Config, MILLISECOND};
use crate::flow::Flows;
use crate::output::Output;
use crate::packet::{Addr, Decoded, Endpoint, Nanos, Segment, Sight, flags};
use crate::protocol::http2::frame::{PREFACE, flag, kind};
use crate::stream::Side;

pub use Side::{Client, Server};

/// A connection from 10.0.0.1:40001 to 10.0.0.2:50051, with the two ends' encoders.
pub struct Wire {
    pub out: Output,
    pub encoders: [Encoder; 2],
    flows: Flows,
    pub time: Nanos,
    seq: [u32; 2],
    /// Bytes of a segment.
    pub mss: usize,
    /// Between segments.
    pub step: Nanos,
    /// The packets, if they are to be captured later ([`super::capture`]).
    tape: Option<Tape>,
}

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
            step: MILLISECOND,
            tape: None,
        }
    }

    /// Just opened.
    pub fn opened() -> Self {
        Self::joined().handshake()
    }

    /// Just opened; nothing is read before all of it is on tape.
    pub fn taped() -> Self {
        Self { tape: Some(Tape::default()), ..Self::joined() }.handshake()
    }

    /// All packets so far.
    pub fn tape(self) -> Tape {
        self.tape.unwrap_or_default()
    }

    fn handshake(self) -> Self {
        let mut wire = self;
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
        self.time += self.step;
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
        if let Some(tape) = &mut self.tape {
            tape.push((self.time, packet(&segment)));
        } else if !lost {
            self.flows.packet(&Decoded::Tcp(segment), self.time, &mut self.out);
        }
    }

    /// Sends bytes in segments of these sizes, by turns.
    pub fn send_split(&mut self, side: Side, mut bytes: &[u8], sizes: &mut impl Iterator<Item = usize>) {
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at(sizes.next().unwrap_or(1).min(bytes.len()));
            self.segment(side, 0, piece, false);
            bytes = rest;
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

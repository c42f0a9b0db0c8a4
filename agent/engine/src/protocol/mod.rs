//! Protocols: what a dissector is, and the list of them.
//!
//! A dissector is sans-IO: it is given the contiguous bytes of the two directions of one connection as they become
//! known, says how many of them it is done with, and puts exchanges and messages into the [`Output`]. The driver
//! ([`crate::flow`]) keeps what was not consumed and shows it again with more behind it, so that the same events come
//! from any split of the bytes. A lost piece is an event of its own ([`Dissector::gap`]).
//!
//! A new protocol is one new file or folder here and one line in [`REGISTRY`].

pub mod dns;
pub mod http1;
pub mod http2;
pub mod redis;
mod sse;
pub mod tls;
mod websocket;

use crate::counters::Counter;
use crate::flow::Sightings;
use crate::message::notes;
use crate::output::Output;
use crate::packet::{Endpoint, Nanos};

/// Which end of the connection sent the bytes. The client opened it, or, unknown, sent the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Sender of requests.
    Client = 0,
    /// Sender of responses.
    Server = 1,
}

impl Side {
    /// The other end.
    pub fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// Where a segment's payload begins in its direction's stream, and what came with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Stream offset: bytes since the first that this direction was seen at, lost ones counted.
    pub offset: u64,
    /// When the segment was captured.
    pub time: Nanos,
    /// How much of the *peer's* stream the segment acknowledges, as an offset in that stream: the evidence for
    /// pairing. A response acknowledges the request that it answers.
    pub ack: u64,
}

/// The contiguous bytes of one direction that its dissector has not consumed yet.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// Stream offset of `bytes[0]`.
    pub offset: u64,
    /// The segments that the bytes came in, by ascending offset; the first begins at or before `offset`.
    pub marks: &'a [Mark],
}

impl<'a> View<'a> {
    /// The segment that holds `bytes[at]`, with the offset set to that of `bytes[at]` itself. `at` may be
    /// `bytes.len()`: then the last segment.
    pub fn mark(&self, at: usize) -> Mark {
        let offset = self.offset + at as u64;
        Mark { offset, ..self.marks[self.segment(offset)] }
    }

    /// The segment that holds the byte at a stream offset.
    #[inline]
    fn segment(&self, offset: u64) -> usize {
        // Mostly there is but one.
        if self.marks.len() == 1 { 0 } else { self.marks.partition_point(|m| m.offset <= offset).max(1) - 1 }
    }

    /// Whether a segment's payload begins at `bytes[at]`.
    pub fn starts_segment(&self, at: usize) -> bool {
        let offset = self.offset + at as u64;
        self.marks.binary_search_by_key(&offset, |m| m.offset).is_ok()
    }

    /// What is left behind the first `n` bytes.
    pub fn skip(&self, n: usize) -> View<'a> {
        let offset = self.offset + n as u64;
        View { bytes: &self.bytes[n..], offset, marks: &self.marks[self.segment(offset)..] }
    }
}

/// A piece of one direction that was never captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Stream offset of the first lost byte.
    pub offset: u64,
    /// How many bytes are lost.
    pub len: u64,
    /// When the loss became certain.
    pub time: Nanos,
    /// Whether the segment was captured at this time and only its bytes were cut off by the snap length.
    pub cut: bool,
}

/// How a connection ended for its dissector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Both directions were closed.
    Closed,
    /// A reset, by the side that sent it.
    Reset(Side),
    /// Nothing came for longer than the idle bound.
    Idle,
    /// The capture ended, or the flow had to make room: it may live on unseen.
    Unseen,
}

/// What a dissector did with a view.
pub enum Step {
    /// It is done with so many bytes; what is left comes again when there is more (none: wait for more).
    Consumed(usize),
    /// The same, and the other direction's unconsumed bytes, which waited for this, are to be shown again.
    Resume(usize),
    /// It is done with so many bytes, and another dissector takes both directions from here on (Upgrade).
    Handover(usize, Box<dyn Dissector>),
    /// It is done with so many bytes, and what follows in both directions is to be probed anew (CONNECT).
    Reprobe(usize),
    /// This is not its protocol after all; the connection becomes unknown for this reason.
    Reject(&'static str),
}

/// The connection that a dissector works on.
#[derive(Clone, Debug)]
pub struct Conn {
    /// The connection record's id.
    pub id: u64,
    /// Who asks.
    pub client: Endpoint,
    /// Who answers.
    pub server: Endpoint,
    /// Whether it is TCP; otherwise it is UDP.
    pub tcp: bool,
    /// The absolute sequence number at stream offset 0, by [`Side`].
    pub seq_base: [u32; 2],
    /// Whether the connection was joined after its handshake, so that its first bytes may be missing.
    pub midstream: bool,
    /// TLS server name, for the connection record.
    pub sni: Option<String>,
    /// TLS application protocol, for the connection record.
    pub alpn: Option<String>,
    /// Exchanges put out so far.
    pub exchanges: u32,
    /// Stream offset behind the newest repeated segment, by [`Side`].
    pub retransmitted_to: [u64; 2],
    /// Where its packets are seen.
    pub sightings: Sightings,
}

impl Conn {
    /// Whose machine captured it, as the `view` column has it.
    pub fn view(&self) -> &'static str {
        self.sightings.view(self.client, self.server)
    }

    /// The absolute TCP sequence number of a stream offset: half of the fingerprint of an exchange.
    pub fn seq(&self, side: Side, offset: u64) -> u32 {
        self.seq_base[side as usize].wrapping_add(offset as u32)
    }
}

/// What a dissector works with besides the bytes.
pub struct Context<'a> {
    /// The connection.
    pub conn: &'a mut Conn,
    /// Where records go; also holds the limits, the redactor and the counters.
    pub out: &'a mut Output,
}

impl Context<'_> {
    /// Counts a response whose request is not known, for the reason in its notes.
    pub fn unpaired(&mut self, why: u32) {
        let counter = if why & notes::PARTIAL != 0 { Counter::BegunBefore } else { Counter::Unpaired };
        self.out.counters.add(counter, 1);
    }
}

/// A protocol over a byte stream. One value serves one connection.
pub trait Dissector: Send {
    /// Its name, as in the `protocol` column; it may become more exact as more is read.
    fn name(&self) -> &'static str;

    /// Reads what it can of the contiguous, unconsumed bytes of one direction.
    fn data(&mut self, side: Side, view: View<'_>, cx: &mut Context<'_>) -> Step;

    /// A piece of this direction is lost. Bytes in front of it that were not consumed are gone: they are given in
    /// `rest`, so that what was half read can be finished as incomplete.
    fn gap(&mut self, side: Side, rest: View<'_>, gap: Gap, cx: &mut Context<'_>);

    /// This direction was closed (FIN) after all its data; `rest` was never consumed.
    fn fin(&mut self, side: Side, rest: View<'_>, time: Nanos, cx: &mut Context<'_>);

    /// The connection ended: everything still pending becomes a record now.
    fn end(&mut self, how: End, time: Nanos, cx: &mut Context<'_>);

    /// Time has passed: the place for time-outs.
    fn tick(&mut self, _now: Nanos, _cx: &mut Context<'_>) {}

    /// A live viewer wants to see what is not finished: exchanges that are open for a while become records of outcome
    /// `open`, to be replaced by a later revision.
    fn report(&mut self, _now: Nanos, _cx: &mut Context<'_>) {}

    /// Bytes of heap that it holds, for the memory bound.
    fn held(&self) -> usize {
        0
    }
}

/// What a probe says of the first bytes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// It is this protocol; `bytes` were sent by this side.
    Match(Side),
    /// It can't be.
    No,
    /// Too few bytes to tell.
    More,
}

/// A protocol that can be recognised.
pub struct Protocol {
    /// Name, as in the `protocol` column.
    pub name: &'static str,
    /// Looks at the unconsumed bytes of one direction (of either side) from a segment's start.
    pub probe: fn(&[u8]) -> Probe,
    /// Makes a dissector for one connection.
    pub new: fn() -> Box<dyn Dissector>,
}

/// A protocol over datagrams. One value serves one flow.
pub trait DatagramDissector: Send {
    /// Its name, as in the `protocol` column.
    fn name(&self) -> &'static str;

    /// Reads one datagram, sent by `side` at `time`; `cut` bytes of it were not captured.
    fn datagram(&mut self, side: Side, bytes: &[u8], cut: u32, time: Nanos, cx: &mut Context<'_>);

    /// The flow ended: everything still pending becomes a record now.
    fn end(&mut self, how: End, time: Nanos, cx: &mut Context<'_>);

    /// Time has passed.
    fn tick(&mut self, _now: Nanos, _cx: &mut Context<'_>) {}

    /// Whether something waits for an answer.
    fn is_waiting(&self) -> bool;
}

/// A protocol over datagrams that can be recognised.
pub struct DatagramProtocol {
    /// Looks at a whole datagram.
    pub probe: fn(&[u8]) -> Probe,
    /// Makes a dissector for one flow.
    pub new: fn() -> Box<dyn DatagramDissector>,
}

/// All datagram protocols, in the order in which they are asked.
pub static DATAGRAM_REGISTRY: &[DatagramProtocol] = &[dns::PROTOCOL_UDP];

/// All stream protocols, in the order in which they are asked.
pub static REGISTRY: &[Protocol] =
    &[http2::PROTOCOL, http1::PROTOCOL, redis::PROTOCOL, tls::PROTOCOL, dns::PROTOCOL_TCP];

//! Protocols: what a dissector is, and the list of them.
//!
//! A dissector is sans-IO: it is given the contiguous bytes of the two directions of one connection as they become
//! known, says how many of them it is done with, and puts exchanges and messages into the [`Output`]. The driver
//! ([`crate::flow`]) keeps what was not consumed and shows it again with more behind it, so that the same events come
//! from any split of the bytes. A lost piece is an event of its own ([`Dissector::gap`]).
//!
//! A new protocol is one new file or folder here and one line in [`registry`].

pub mod dns;
pub mod http1;
pub mod http2;
pub mod redis;
pub mod registry;
mod sse;
pub mod tls;
mod websocket;

use crate::conn::Conn;
use crate::counters::Counter;
use crate::message::notes;
use crate::output::Output;
use crate::packet::Nanos;
use crate::stream::{Gap, Side, View};

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

    /// Bytes of heap that it holds, for the memory bound.
    fn held(&self) -> usize;
}

/// A protocol over datagrams that can be recognised.
pub struct DatagramProtocol {
    /// Looks at a whole datagram.
    pub probe: fn(&[u8]) -> Probe,
    /// Makes a dissector for one flow.
    pub new: fn() -> Box<dyn DatagramDissector>,
}

//! HTTP/1.0 and HTTP/1.1 (RFC 9112, RFC 9110).

mod body;
mod framing;
mod head;
mod record;
mod request;
mod response;
mod sync;

use self::framing::Framing;
pub(super) use self::head::is_prober;
use self::record::{Answer, Call, put};
use self::sync::skippable;
use super::{Context, Dissector, End, Probe, Protocol, Step};
use crate::message::{Message, notes};
use crate::output::Outcome;
use crate::packet::Nanos;
use crate::pairing::Pairing;
use crate::stream::{Gap, Side, View};

/// How HTTP/1 is recognised.
pub const PROTOCOL: Protocol = Protocol { name: "http", probe, new: || Box::<Http1>::default() };

fn probe(bytes: &[u8]) -> Probe {
    match (head::plausible_request(bytes), head::plausible_response(bytes)) {
        (Some(true), _) => Probe::Match(Side::Client),
        (_, Some(true)) => Probe::Match(Side::Server),
        (Some(false), Some(false)) => Probe::No,
        _ => Probe::More,
    }
}

/// Where the reader of one direction is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// At the start of a message, of which so many bytes were searched for the head's end.
    #[default]
    Head,
    /// In a body.
    Body(Framing),
    /// Lost: looking for the next message.
    Lost,
    /// Waiting for the other side's word on an upgrade or a tunnel.
    Held,
}

/// Which call the request body that is being read belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Reading {
    /// None, or one whose record is out already.
    #[default]
    Nothing,
    /// The newest that waits.
    Newest,
    /// The one that is being answered already.
    Answered,
}

/// Dissects one connection.
#[derive(Default)]
pub struct Http1 {
    at: [At; 2],
    /// Bytes at the start of a head that were searched for its end.
    searched: [usize; 2],
    pairing: Pairing<Call>,
    reading: Reading,
    answer: Option<Box<Answer>>,
    /// Behind the last bytes of the server that were lost, could not be read, or began an answer to nobody knows what.
    unread_to: u64,
    /// The server closed, or the client: who first.
    first_fin: Option<Side>,
    exchanges: u32,
}

impl Dissector for Http1 {
    fn name(&self) -> &'static str {
        "http"
    }

    fn data(&mut self, side: Side, view: View<'_>, cx: &mut Context<'_>) -> Step {
        let mut done = 0;
        loop {
            let rest = view.skip(done);
            if rest.bytes.is_empty() {
                return Step::Consumed(done);
            }
            let n = match self.at[side as usize] {
                At::Held | At::Lost => {
                    let is_held = self.at[side as usize] == At::Held;
                    let nothing_before = match self.find_websocket(side, rest, cx) {
                        Ok(step) => return behind(done, step),
                        Err(_) if is_held => return Step::Consumed(done),
                        Err(n) => n,
                    };
                    match self.find_start(side, rest, cx) {
                        Some(n) => n,
                        None => {
                            self.unread(side, rest.offset + rest.bytes.len() as u64);
                            return Step::Consumed(done + skippable(side, rest).min(nothing_before));
                        }
                    }
                }
                At::Body(framing) => {
                    let next = if side == Side::Server { self.next_response(rest) } else { None };
                    let piece = match next {
                        Some((0, true)) => {
                            self.cut_short(rest, cx);
                            continue;
                        }
                        Some((0, false)) => return Step::Consumed(done),
                        Some((at, _)) => View { bytes: &rest.bytes[..at], ..rest },
                        None => rest,
                    };
                    match self.body(side, framing, piece, cx) {
                        Ok(0) => return Step::Consumed(done),
                        Ok(n) => n,
                        Err(step) => return behind(done, step),
                    }
                }
                At::Head => {
                    let step = match side {
                        Side::Client => self.request_head(rest, cx),
                        Side::Server => self.response_head(rest, cx),
                    };
                    match step {
                        Step::Consumed(0) => return Step::Consumed(done),
                        Step::Consumed(n) => n,
                        step => return behind(done, step),
                    }
                }
            };
            done += n;
        }
    }

    fn gap(&mut self, side: Side, rest: View<'_>, gap: Gap, cx: &mut Context<'_>) {
        let whole = match self.at[side as usize] {
            At::Body(mut framing) => {
                let mut known = rest.bytes.is_empty();
                if let Some(message) = self.message(side) {
                    message.notes |= notes::GAP;
                    if gap.cut {
                        message.last_time = gap.time;
                    }
                    known = known && framing.skip(gap.len, message);
                }
                self.at[side as usize] = At::Body(framing);
                if let Some(stream) =
                    self.answer.as_mut().filter(|_| side == Side::Server).and_then(|a| a.stream.as_mut())
                {
                    stream.events.clear();
                }
                if known && framing.is_over() {
                    self.end_message(side, gap.offset + gap.len, gap.time, gap.cut, cx);
                }
                known
            }
            At::Head => {
                self.half_head(side, rest, cx);
                false
            }
            At::Lost | At::Held => false,
        };
        if !whole {
            if let At::Body(_) = self.at[side as usize] {
                self.end_message(side, gap.offset, gap.time, false, cx);
            }
            self.lose(side, None);
            self.unread(side, gap.offset + gap.len);
        }
    }

    fn fin(&mut self, side: Side, rest: View<'_>, time: Nanos, cx: &mut Context<'_>) {
        self.first_fin.get_or_insert(side);
        match self.at[side as usize] {
            At::Body(Framing::UntilClose) => self.end_message(side, rest.offset, time, true, cx),
            At::Head if !rest.bytes.is_empty() => self.half_head(side, rest, cx),
            _ => {}
        }
    }

    fn end(&mut self, how: End, _time: Nanos, cx: &mut Context<'_>) {
        self.put_ended(cx);
        if let Some(answer) = self.answer.take() {
            let until_close = self.at[Side::Server as usize] == At::Body(Framing::UntilClose);
            let (outcome, error) = match how {
                // A stream that the client leaves has done its work.
                End::Reset(Side::Client) if answer.stream.is_some() => (None, ""),
                End::Reset(Side::Client) => {
                    (Some(Outcome::Reset), "the client reset the connection during the response")
                }
                End::Reset(Side::Server) => {
                    (Some(Outcome::Reset), "the server reset the connection during the response")
                }
                End::Closed if until_close => (None, ""),
                End::Closed => (Some(Outcome::Reset), "the connection was closed before the response was complete"),
                End::Idle | End::Unseen => (Some(Outcome::Open), ""),
            };
            self.put_answer(*answer, outcome, error, outcome.is_none(), cx);
        }
        let (outcome, error) = match how {
            End::Reset(Side::Client) => (Outcome::Reset, "the client reset the connection before a response"),
            End::Reset(Side::Server) => (Outcome::Reset, "the server reset the connection instead of answering"),
            End::Closed if self.first_fin == Some(Side::Server) => {
                (Outcome::Reset, "the server closed the connection without a response")
            }
            End::Closed => (Outcome::Timeout, "the client closed the connection before a response"),
            End::Idle => (Outcome::Timeout, "no response came"),
            End::Unseen => (Outcome::Open, ""),
        };
        while let Some(heard) = self.pairing.oldest_heard()
            && let Some(mut call) = self.pairing.take_oldest()
        {
            if heard < self.unread_to {
                call.notes |= notes::GAP;
                self.put_unanswered(call, Outcome::Incomplete, "its response was not captured", cx);
            } else {
                self.put_unanswered(call, outcome, error, cx);
            }
        }
    }

    fn report(&mut self, now: Nanos, cx: &mut Context<'_>) {
        if let Some(answer) = &mut self.answer
            && let Some(stream) = &mut answer.stream
        {
            let count = stream.counts.received;
            if answer.call.revision == 0 || count != stream.reported {
                stream.reported = count;
                put(
                    &answer.call,
                    Some((&answer.response, answer.head)),
                    Some(stream.counts),
                    Outcome::Open,
                    "",
                    false,
                    cx,
                );
                answer.call.revision = answer.call.revision.saturating_add(1);
            }
        }
        for call in self.pairing.iter_mut() {
            let waits = call.request.as_ref().map_or(0, |request| now - request.last_time);
            if call.revision == 0 && waits >= crate::config::SECOND {
                put(call, None, None, Outcome::Open, "", false, cx);
                call.revision = 1;
            }
        }
    }

    fn held(&self) -> usize {
        let answer = self.answer.as_ref().map_or(0, |answer| {
            answer.response.held()
                + answer.call.request.as_deref().map_or(0, Message::held)
                + answer.stream.as_ref().map_or(0, |stream| stream.events.held())
        });
        answer + self.pairing.held()
    }
}

/// A step that was taken behind `done` bytes.
fn behind(done: usize, step: Step) -> Step {
    match step {
        Step::Consumed(n) => Step::Consumed(done + n),
        Step::Resume(n) => Step::Resume(done + n),
        Step::Handover(n, dissector) => Step::Handover(done + n, dissector),
        Step::Reprobe(n) => Step::Reprobe(done + n),
        Step::Reject(reason) => Step::Reject(reason),
    }
}

impl Http1 {
    /// The message that is being read on this side.
    fn message(&mut self, side: Side) -> Option<&mut Message> {
        match (side, self.reading) {
            (Side::Server, _) => self.answer.as_mut().map(|answer| &mut *answer.response),
            (Side::Client, Reading::Nothing) => None,
            (Side::Client, Reading::Newest) => self.pairing.last().and_then(|call| call.request.as_deref_mut()),
            (Side::Client, Reading::Answered) => {
                self.answer.as_mut().and_then(|answer| answer.call.request.as_deref_mut())
            }
        }
    }
}

#[cfg(test)]
mod tests;

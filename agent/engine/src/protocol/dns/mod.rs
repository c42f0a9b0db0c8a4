//! DNS over UDP and TCP (RFC 1035, RFC 7766): questions, paired with their answers by id and question.

pub mod message;
mod name;
mod questions;
mod rdata;
pub mod render;
pub mod words;

#[cfg(test)]
mod flow_tests;
#[cfg(test)]
mod tests;

use self::questions::Questions;
use super::{Context, DatagramDissector, DatagramProtocol, Dissector, End, Probe, Protocol, Step};
use crate::counters::Counter;
use crate::packet::Nanos;
use crate::stream::{Gap, Mark, Side, View};

/// How DNS over UDP is recognised.
pub const PROTOCOL_UDP: DatagramProtocol = DatagramProtocol { probe: probe_datagram, new: || Box::<DnsUdp>::default() };

/// How DNS over TCP is recognised.
pub const PROTOCOL_TCP: Protocol = Protocol { name: "dns", probe: probe_stream, new: || Box::<DnsTcp>::default() };

fn probe_datagram(bytes: &[u8]) -> Probe {
    if !message::looks_like_dns(bytes) {
        return Probe::No;
    }
    Probe::Match(if bytes[2] & 0x80 == 0 { Side::Client } else { Side::Server })
}

fn probe_stream(bytes: &[u8]) -> Probe {
    let &[a, b, ref rest @ ..] = bytes else { return Probe::More };
    let len = usize::from(u16::from_be_bytes([a, b]));
    // Header and question, and no more than a question needs.
    if !(17..=4096).contains(&len) {
        return Probe::No;
    }
    match rest.get(..len) {
        Some(message) => probe_datagram(message),
        // One question, opcode QUERY: the rest must be waited for.
        None if rest.get(4..6).is_none_or(|count| count == [0, 1]) && rest.get(2).is_none_or(|b| b & 0x78 == 0) => {
            Probe::More
        }
        None => Probe::No,
    }
}

/// Dissects one UDP flow.
#[derive(Default)]
struct DnsUdp {
    questions: Questions,
}

impl DatagramDissector for DnsUdp {
    fn name(&self) -> &'static str {
        "dns"
    }

    fn datagram(&mut self, side: Side, bytes: &[u8], cut: u32, time: Nanos, cx: &mut Context<'_>) {
        // Datagrams have no place in a stream; their time tells them apart.
        let mark = Mark { offset: 0, time, ack: 0 };
        self.questions.message(side, (bytes, cut), mark, time, cx);
    }

    fn end(&mut self, how: End, time: Nanos, cx: &mut Context<'_>) {
        self.questions.end(how, time, cx);
    }

    fn tick(&mut self, now: Nanos, cx: &mut Context<'_>) {
        self.questions.tick(now, cx);
    }

    fn is_waiting(&self) -> bool {
        self.questions.is_waiting()
    }

    fn held(&self) -> usize {
        self.questions.held()
    }
}

/// Dissects one TCP connection.
#[derive(Default)]
struct DnsTcp {
    questions: Questions,
    /// Messages begin at the start of a segment, as far as is known: set after a loss.
    lost: [bool; 2],
}

/// Where behind `from` a segment begins with a message.
fn message_behind(view: View<'_>, from: usize) -> Option<usize> {
    view.marks.iter().find_map(|mark| {
        let at = mark.offset.checked_sub(view.offset)? as usize;
        (at > from && matches!(probe_stream(view.bytes.get(at..)?), Probe::Match(_))).then_some(at)
    })
}

impl DnsTcp {
    fn lose(&mut self, side: Side) {
        self.lost[side as usize] = true;
        if side == Side::Server {
            self.questions.answers_lost();
        }
    }
}

impl Dissector for DnsTcp {
    fn name(&self) -> &'static str {
        "dns"
    }

    fn data(&mut self, side: Side, view: View<'_>, cx: &mut Context<'_>) -> Step {
        let mut done = 0;
        while let Some(&[a, b]) = view.bytes.get(done..done + 2) {
            let len = usize::from(u16::from_be_bytes([a, b]));
            if self.lost[side as usize] {
                let starts = view.starts_segment(done) && matches!(probe_stream(&view.bytes[done..]), Probe::Match(_));
                if !starts {
                    cx.out.counters.add(Counter::Skipped, (view.bytes.len() - done) as u64);
                    return Step::Consumed(view.bytes.len());
                }
                self.lost[side as usize] = false;
            }
            let Some(message) = view.bytes.get(done + 2..done + 2 + len) else {
                // It waits for more than there is, and another begins: its length is damaged.
                let Some(next) = message_behind(view, done) else { break };
                cx.out.counters.add(Counter::Malformed, 1);
                self.lose(side);
                done = next;
                continue;
            };
            let last_time = view.mark(done + 1 + len).time;
            self.questions.message(side, (message, 0), view.mark(done), last_time, cx);
            done += 2 + len;
        }
        Step::Consumed(done)
    }

    fn gap(&mut self, side: Side, _rest: View<'_>, _gap: Gap, _cx: &mut Context<'_>) {
        self.lose(side);
    }

    fn fin(&mut self, side: Side, rest: View<'_>, _time: Nanos, _cx: &mut Context<'_>) {
        if !rest.bytes.is_empty() {
            self.lose(side);
        }
    }

    fn end(&mut self, how: End, time: Nanos, cx: &mut Context<'_>) {
        self.questions.end(how, time, cx);
    }

    fn tick(&mut self, now: Nanos, cx: &mut Context<'_>) {
        self.questions.tick(now, cx);
    }

    fn held(&self) -> usize {
        self.questions.held()
    }
}

//! DNS over UDP and TCP (RFC 1035, RFC 7766): questions, paired with their answers by id and question.

pub mod message;
mod name;
mod rdata;
pub mod render;
pub mod words;

#[cfg(test)]
mod tests;

use super::{
    Context, DatagramDissector, DatagramProtocol, Dissector, End, Gap, Mark, Probe, Protocol, Side, Step, View,
};
use crate::counters::Counter;
use crate::message::{Message, notes};
use crate::output::{Exchange, Outcome};
use crate::packet::Nanos;

/// How DNS over UDP is recognised.
pub const PROTOCOL_UDP: DatagramProtocol = DatagramProtocol { probe: probe_datagram, new: || Box::<DnsUdp>::default() };

/// How DNS over TCP is recognised.
pub const PROTOCOL_TCP: Protocol = Protocol { name: "dns", probe: probe_stream, new: || Box::<DnsTcp>::default() };

/// Unanswered questions of one flow; a resolver has a few under way.
const PENDING: usize = 256;

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

/// A question, and how it was answered.
struct Question {
    id: u16,
    kind: u16,
    name: String,
    code: u16,
}

/// A question that waits for its answer.
struct Pending {
    id: [u8; 16],
    question: Question,
    message: Box<Message>,
    revision: u16,
    answered: bool,
}

/// The questions of one flow.
#[derive(Default)]
struct Questions {
    pending: Vec<Pending>,
    asked: u32,
}

impl Questions {
    fn message(&mut self, side: Side, bytes: &[u8], first: Mark, last_time: Nanos, cx: &mut Context<'_>) {
        let parsed = message::parse(bytes);
        let Some((parsed, asked)) = parsed.and_then(|mut parsed| parsed.question.take().map(|asked| (parsed, asked)))
        else {
            cx.out.counters.add(Counter::Malformed, 1);
            return;
        };
        let question =
            Question { id: parsed.id, kind: asked.record_type, name: asked.name, code: parsed.response_code() };
        let mut message = cx.out.message();
        message.first = first;
        message.last_time = last_time;
        message.head_bytes = bytes.len() as u32;
        let known = self.pending.iter().rposition(|p| {
            p.question.id == question.id && p.question.kind == question.kind && p.question.name == question.name
        });
        match side {
            Side::Client => self.ask(question, message, known, cx),
            Side::Server => {
                let limit = cx.out.config.body_limit;
                let rendered = render::records(&parsed, limit, &mut message.body.data);
                // A server that cut its answer, and says so, broke no rule.
                if rendered.is_broken && !parsed.truncated {
                    message.notes |= notes::MALFORMED;
                }
                if rendered.left_out > 0 && limit > 0 {
                    message.notes |= notes::RESPONSE_CUT;
                }
                self.answer(&question, message, known, cx);
            }
        }
    }

    fn ask(&mut self, question: Question, message: Box<Message>, known: Option<usize>, cx: &mut Context<'_>) {
        if let Some(index) = known {
            if !self.pending[index].answered {
                self.pending[index].message.notes |= notes::RETRANSMITTED;
                cx.out.recycle(message);
                return;
            }
            self.forget(index, cx);
        }
        if self.pending.len() >= PENDING {
            // Answered ones are kept for copies of their answers only.
            let oldest = self.pending.iter().position(|p| p.answered).unwrap_or(0);
            if !self.pending[oldest].answered {
                cx.out.counters.add(Counter::PendingDropped, 1);
                self.put(oldest, None, Outcome::Incomplete, "too many questions of its flow waited", cx);
            }
            self.forget(oldest, cx);
        }
        let first = message.first;
        let id = cx.out.exchange_id(cx.conn, first.time, Side::Client, first.offset, u64::from(question.id));
        let mut pending = Pending { id, question, message, revision: 0, answered: false };
        if self.asked > 0 && cx.conn.tcp {
            pending.message.notes |= notes::REUSED;
        }
        self.asked += 1;
        self.pending.push(pending);
    }

    fn answer(&mut self, question: &Question, message: Box<Message>, known: Option<usize>, cx: &mut Context<'_>) {
        let (outcome, error) = match question.code {
            0 => (Outcome::Ok, ""),
            1 => (Outcome::ClientError, "the server could not read the question"),
            3 => (Outcome::ClientError, "no such name"),
            2 => (Outcome::ServerError, "the server failed to find the answer"),
            5 => (Outcome::ServerError, "the server refuses to answer"),
            _ => (Outcome::ServerError, "the server answered with an error"),
        };
        match known {
            // A copy of an answer that is known.
            Some(index) if self.pending[index].answered => {}
            Some(index) => {
                self.pending[index].question.code = question.code;
                self.put(index, Some(&message), outcome, error, cx);
                self.pending[index].answered = true;
            }
            None => {
                cx.out.counters.add(Counter::Unpaired, 1);
                let first = message.first;
                let id = cx.out.exchange_id(cx.conn, first.time, Side::Server, first.offset, u64::from(question.id));
                let error = "its question was not captured";
                put(id, 0, question, None, Some(&message), Outcome::Incomplete, error, notes::NO_REQUEST, cx);
            }
        }
        cx.out.recycle(message);
    }

    fn put(&mut self, index: usize, answer: Option<&Message>, outcome: Outcome, error: &str, cx: &mut Context<'_>) {
        let pending = &mut self.pending[index];
        put(pending.id, pending.revision, &pending.question, Some(&pending.message), answer, outcome, error, 0, cx);
        pending.revision += 1;
    }

    fn forget(&mut self, index: usize, cx: &mut Context<'_>) {
        let pending = self.pending.remove(index);
        cx.out.recycle(pending.message);
    }

    fn end(&mut self, how: End, time: Nanos, cx: &mut Context<'_>) {
        for index in 0..self.pending.len() {
            let pending = &self.pending[index];
            if pending.answered || pending.revision > 0 && !matches!(how, End::Reset(_)) {
                continue;
            }
            let waited = time - pending.message.first.time;
            let (outcome, error) = match how {
                End::Reset(_) if !cx.conn.tcp => (Outcome::Refused, "no name server there: ICMP port unreachable"),
                End::Reset(_) => (Outcome::Reset, "the connection was reset before an answer"),
                End::Unseen if waited < cx.out.config.limits.query_wait => (Outcome::Open, ""),
                End::Closed | End::Idle | End::Unseen => (Outcome::Timeout, "no answer came"),
            };
            self.put(index, None, outcome, error, cx);
        }
        while let Some(pending) = self.pending.pop() {
            cx.out.recycle(pending.message);
        }
    }

    fn tick(&mut self, now: Nanos, cx: &mut Context<'_>) {
        let bound = cx.out.config.limits.query_wait;
        for index in 0..self.pending.len() {
            let pending = &self.pending[index];
            if !pending.answered && pending.revision == 0 && now - pending.message.first.time >= bound {
                // A later answer replaces this.
                self.put(index, None, Outcome::Timeout, "no answer came", cx);
            }
        }
        // Copies of an answer come within moments.
        while let Some(index) = self.pending.iter().position(|p| p.answered && now - p.message.first.time >= 2 * bound)
        {
            self.forget(index, cx);
        }
    }
}

#[allow(clippy::too_many_arguments, reason = "the columns of one record")]
fn put(
    id: [u8; 16],
    revision: u16,
    question: &Question,
    request: Option<&Message>,
    answer: Option<&Message>,
    outcome: Outcome,
    error: &str,
    bits: u32,
    cx: &mut Context<'_>,
) {
    let kind = words::record_type(question.kind);
    let code = words::response_code(question.code);
    let exchange = Exchange {
        id,
        revision,
        protocol: "dns",
        version: "",
        operation: kind.as_bytes(),
        target: question.name.as_bytes(),
        authority: b"",
        status: answer.map(|_| i32::from(question.code)),
        status_text: answer.map_or(b"", |_| code.as_bytes()),
        outcome,
        error,
        request,
        response: answer,
        reason: b"",
        interim: &[],
        ended: true,
        stream: None,
        messages: None,
        notes: bits,
    };
    cx.out.exchange(cx.conn, &exchange);
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

    fn datagram(&mut self, side: Side, bytes: &[u8], _cut: u32, time: Nanos, cx: &mut Context<'_>) {
        // Datagrams have no place in a stream; their time tells them apart.
        let mark = Mark { offset: 0, time, ack: 0 };
        self.questions.message(side, bytes, mark, time, cx);
    }

    fn end(&mut self, how: End, time: Nanos, cx: &mut Context<'_>) {
        self.questions.end(how, time, cx);
    }

    fn tick(&mut self, now: Nanos, cx: &mut Context<'_>) {
        self.questions.tick(now, cx);
    }

    fn is_waiting(&self) -> bool {
        self.questions.pending.iter().any(|pending| !pending.answered)
    }
}

/// Dissects one TCP connection.
#[derive(Default)]
struct DnsTcp {
    questions: Questions,
    /// Messages begin at the start of a segment, as far as is known: set after a loss.
    lost: [bool; 2],
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
            let Some(message) = view.bytes.get(done + 2..done + 2 + len) else { break };
            let last_time = view.mark(done + 1 + len).time;
            self.questions.message(side, message, view.mark(done), last_time, cx);
            done += 2 + len;
        }
        Step::Consumed(done)
    }

    fn gap(&mut self, side: Side, _rest: View<'_>, _gap: Gap, _cx: &mut Context<'_>) {
        self.lost[side as usize] = true;
    }

    fn fin(&mut self, _side: Side, _rest: View<'_>, _time: Nanos, _cx: &mut Context<'_>) {}

    fn end(&mut self, how: End, time: Nanos, cx: &mut Context<'_>) {
        self.questions.end(how, time, cx);
    }

    fn tick(&mut self, now: Nanos, cx: &mut Context<'_>) {
        self.questions.tick(now, cx);
    }
}

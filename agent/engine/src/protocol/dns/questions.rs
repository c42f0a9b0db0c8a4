//! Questions of one flow, and the answers to them.

use super::{message, render, words};
use crate::counters::Counter;
use crate::message::{Message, notes};
use crate::output::{Exchange, Outcome};
use crate::packet::Nanos;
use crate::protocol::{Context, End};
use crate::stream::{Mark, Side};

/// Unanswered questions of one flow; a resolver has a few under way.
pub(super) const PENDING: usize = 256;

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
    /// Its answer may be among what was lost, or could not be read.
    answer_lost: bool,
}

impl Pending {
    fn held(&self) -> usize {
        size_of::<Self>() + self.question.name.capacity() + self.message.held()
    }
}

/// The questions of one flow.
#[derive(Default)]
pub(super) struct Questions {
    pending: Vec<Pending>,
    /// Bytes that they take.
    held: usize,
    asked: u32,
}

impl Questions {
    /// Whether one waits for its answer.
    pub fn is_waiting(&self) -> bool {
        self.pending.iter().any(|pending| !pending.answered)
    }

    /// Bytes of memory that they take.
    pub fn held(&self) -> usize {
        self.held
    }

    /// The answers to what waits may be lost.
    pub fn answers_lost(&mut self) {
        for pending in &mut self.pending {
            pending.answer_lost = true;
        }
    }

    /// Takes a message, of which so many bytes more were not captured.
    pub fn message(
        &mut self,
        side: Side,
        (bytes, cut): (&[u8], u32),
        first: Mark,
        last_time: Nanos,
        cx: &mut Context<'_>,
    ) {
        let parsed = message::parse(bytes);
        let Some((parsed, asked)) = parsed.and_then(|mut parsed| parsed.question.take().map(|asked| (parsed, asked)))
        else {
            cx.out.counters.add(Counter::Malformed, 1);
            if side == Side::Server {
                self.answers_lost();
            }
            return;
        };
        let question =
            Question { id: parsed.id, kind: asked.record_type, name: asked.name, code: parsed.response_code() };
        let mut message = cx.out.message();
        message.first = first;
        message.last_time = last_time;
        // A message is its content: there is no head apart. What is shown of it is text, and longer.
        message.body.bytes = bytes.len() as u64 + u64::from(cut);
        message.body.shown = true;
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
                    message.notes |= if cut > 0 { notes::GAP } else { notes::MALFORMED };
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
        let mut pending = Pending { id, question, message, revision: 0, answered: false, answer_lost: false };
        if self.asked > 0 && cx.conn.tcp {
            pending.message.notes |= notes::REUSED;
        }
        self.asked += 1;
        self.held += pending.held();
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
                for pending in self.pending.iter_mut().filter(|pending| pending.question.id == question.id) {
                    // One of the two is damaged.
                    pending.answer_lost = true;
                }
                cx.unpaired(0);
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
        self.held -= pending.held();
        cx.out.recycle(pending.message);
    }

    pub fn end(&mut self, how: End, time: Nanos, cx: &mut Context<'_>) {
        for index in 0..self.pending.len() {
            let pending = &self.pending[index];
            if pending.answered || pending.revision > 0 && !matches!(how, End::Reset(_)) {
                continue;
            }
            let waited = time - pending.message.first.time;
            let (outcome, error) = match how {
                End::Reset(_) if !cx.conn.tcp => (Outcome::Refused, "no name server there: ICMP port unreachable"),
                End::Reset(_) => (Outcome::Reset, "the connection was reset before an answer"),
                _ if pending.answer_lost => (Outcome::Incomplete, "its answer was not captured"),
                End::Unseen if waited < cx.out.config.limits.query_wait => (Outcome::Open, ""),
                End::Closed | End::Idle | End::Unseen => (Outcome::Timeout, "no answer came"),
            };
            self.put(index, None, outcome, error, cx);
        }
        self.held = 0;
        while let Some(pending) = self.pending.pop() {
            cx.out.recycle(pending.message);
        }
    }

    pub fn tick(&mut self, now: Nanos, cx: &mut Context<'_>) {
        let bound = cx.out.config.limits.query_wait;
        for index in 0..self.pending.len() {
            let pending = &self.pending[index];
            if !pending.answered && pending.revision == 0 && now - pending.message.first.time >= bound {
                let (outcome, error) = if pending.answer_lost {
                    (Outcome::Incomplete, "its answer was not captured")
                } else {
                    (Outcome::Timeout, "no answer came")
                };
                // A later answer replaces this.
                self.put(index, None, outcome, error, cx);
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

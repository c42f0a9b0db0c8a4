//! Redis (RESP2 and RESP3): commands, paired with their replies by order while that is certain ([`sync`]).

mod asked;
mod command;
mod find;
mod half;
mod inline;
mod kinds;
mod loss;
mod pairs;
mod push;
mod read;
mod record;
mod render;
mod resp;
mod scan;
mod secret;
mod stream;
mod sync;
mod trust;
mod unasked;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use self::half::Half;
use self::record::{Command, Held, Unanswered};
use self::scan::Fed;
use self::secret::Hidden;
use self::stream::Stream;
use self::trust::Trust;
use super::{Context, Dissector, End, Protocol, Step};
use crate::config::SECOND;
use crate::counters::Counter;
use crate::message::notes;
use crate::output::Outcome;
use crate::packet::Nanos;
use crate::stream::{Gap, Mark, Side, View};

/// How Redis is recognised.
pub const PROTOCOL: Protocol = Protocol { name: "redis", probe: find::probe, new: || Box::<Redis>::default() };

/// Whether the server answers (CLIENT REPLY).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Answers {
    #[default]
    On,
    Off,
    /// Not to the next command.
    Skip,
}

/// Replies that one command still gives: a subscription is confirmed channel by channel.
#[derive(Clone, Copy)]
struct Confirming {
    kind: &'static str,
    left: u32,
}

/// Dissects one connection.
#[derive(Default)]
pub struct Redis {
    halves: [Half; 2],
    /// Commands that are answered in this order by the next replies.
    waiting: VecDeque<Command>,
    /// Commands that had to be put out to make room: so many replies come before those of `waiting`.
    dropped: u64,
    /// While the order is not certain: commands and replies since then.
    commands: VecDeque<Command>,
    replies: VecDeque<Held>,
    trust: Trust,
    streams: Vec<Stream>,
    /// Subscriptions whose confirmation is to be known by its channel.
    subscribing: Vec<Command>,
    confirming: Option<Confirming>,
    /// Within MULTI: what is to be hidden of the replies in that to EXEC.
    transaction: Option<Vec<Hidden>>,
    answers: Answers,
    is_resp3: Option<bool>,
    /// The connection is a replica's: what follows is a copy of the data.
    is_replica: bool,
    is_begun: bool,
    /// A command was answered.
    has_paired: bool,
    first_fin: Option<Side>,
    exchanges: u32,
    held: usize,
}

impl Dissector for Redis {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn data(&mut self, side: Side, view: View<'_>, cx: &mut Context<'_>) -> Step {
        self.begin(cx);
        if self.is_replica {
            cx.out.counters.add(Counter::Skipped, view.bytes.len() as u64);
            return Step::Consumed(view.bytes.len());
        }
        if side == Side::Server {
            self.trust.server_sent(view);
        }
        let mut done = 0;
        while done < view.bytes.len() && !self.is_replica {
            if self.halves[side as usize].is_lost {
                let (n, found) = match side {
                    Side::Client => find::find_command(view.skip(done)),
                    Side::Server => find::find_push(view.skip(done)),
                };
                cx.out.counters.add(Counter::Skipped, n as u64);
                done += n;
                if !found {
                    break;
                }
                let half = &mut self.halves[side as usize];
                half.is_lost = false;
                half.whole_to = view.offset + done as u64;
                continue;
            }
            if self.halves[side as usize].begin.is_none() {
                let mark = view.mark(done);
                self.halves[side as usize].begin = Some(mark);
                if side == Side::Client && view.starts_segment(done) {
                    self.flight(mark, cx);
                }
            }
            let bytes = &view.bytes[done..];
            let fed = if side == Side::Client && !self.halves[0].scan.is_inside() && bytes[0] != b'*' {
                match self.inline(view, done, cx) {
                    Ok(0) => break,
                    Ok(n) => {
                        done += n;
                        continue;
                    }
                    Err(()) => Fed::Bad(0),
                }
            } else {
                self.halves[side as usize].scan.feed(bytes, side == Side::Client)
            };
            match fed {
                Fed::Done(n) => {
                    self.whole(side, view, done, n, cx);
                    done += n;
                }
                Fed::More(n) => {
                    let limit = cx.out.config.body_limit;
                    self.halves[side as usize].keep(&bytes[..n], limit);
                    done += n;
                    break;
                }
                Fed::Bad(at) => {
                    let is_answer = matches!(bytes[0], b'+' | b'-' | b':' | b'$' | b'%' | b'~' | b'>' | b'_');
                    if self.exchanges == 0 || (side == Side::Client && is_answer && !self.has_paired) {
                        return Step::Reject("what follows its first bytes is not Redis");
                    }
                    cx.out.counters.add(Counter::Malformed, 1);
                    let rest = view.skip(done);
                    self.lose(side, View { bytes: &rest.bytes[..at], ..rest }, notes::MALFORMED, cx);
                    cx.out.counters.add(Counter::Skipped, 1);
                    done += at + 1;
                }
            }
        }
        if side == Side::Client {
            self.trust.client_sent(view);
        }
        Step::Consumed(done)
    }

    fn gap(&mut self, side: Side, rest: View<'_>, gap: Gap, cx: &mut Context<'_>) {
        self.begin(cx);
        self.trust.lost(side, gap);
        if self.is_replica {
            return;
        }
        let half = &mut self.halves[side as usize];
        if rest.bytes.is_empty()
            && !half.is_lost
            && let Some(is_whole) = half.scan.skip(gap.len)
        {
            half.has_hole = true;
            half.size += gap.len;
            if is_whole {
                let end = Mark { offset: gap.offset + gap.len, time: gap.time, ack: 0 };
                self.finish(side, end, cx);
            }
            return;
        }
        self.lose(side, rest, notes::GAP, cx);
    }

    fn fin(&mut self, side: Side, _rest: View<'_>, _time: Nanos, _cx: &mut Context<'_>) {
        self.first_fin.get_or_insert(side);
    }

    fn end(&mut self, how: End, time: Nanos, cx: &mut Context<'_>) {
        if how == End::Closed {
            self.closed(time, cx);
        }
        let (outcome, error) = match how {
            End::Reset(Side::Client) => (Outcome::Reset, "the client reset the connection before a reply"),
            End::Reset(Side::Server) => (Outcome::Reset, "the server reset the connection instead of answering"),
            End::Closed if self.first_fin == Some(Side::Server) => {
                (Outcome::Reset, "the server closed the connection without a reply")
            }
            End::Closed => (Outcome::Timeout, "the client closed the connection before a reply"),
            End::Idle => (Outcome::Timeout, "no reply came"),
            End::Unseen => (Outcome::Open, ""),
        };
        for command in std::mem::take(&mut self.waiting) {
            self.put_unanswered(command, Unanswered { outcome, error, notes: 0 }, cx);
        }
        self.flush(cx);
        match how {
            End::Reset(Side::Server) => self.end_streams(Outcome::Reset, "the server reset the connection", cx),
            End::Closed if self.first_fin == Some(Side::Server) => {
                self.end_streams(Outcome::Reset, "the server closed the connection", cx);
            }
            // A subscriber that leaves has what it wanted.
            End::Closed | End::Reset(Side::Client) => self.end_streams(Outcome::Ok, "", cx),
            End::Idle | End::Unseen => self.end_streams(Outcome::Open, "", cx),
        }
        self.held = 0;
    }

    fn report(&mut self, now: Nanos, cx: &mut Context<'_>) {
        self.report_streams(now, cx);
        let mut waiting = std::mem::take(&mut self.waiting);
        for command in waiting.iter_mut().take_while(|command| now - command.message.last_time >= SECOND) {
            if command.revision == 0 {
                self.put(command, None, b"", Outcome::Open, "", None, cx);
                command.revision = 1;
            }
        }
        self.waiting = waiting;
    }

    fn held(&self) -> usize {
        let streams: usize = self.streams.iter().map(Stream::held).sum();
        size_of::<Self>() + self.held + streams + self.halves[0].raw.capacity() + self.halves[1].raw.capacity()
    }
}

impl Redis {
    /// Says whether the beginning was missed, before anything else is done.
    fn begin(&mut self, cx: &Context<'_>) {
        if std::mem::replace(&mut self.is_begun, true) {
            return;
        }
        if cx.conn.midstream {
            self.trust = Trust::joined();
            self.halves[0].is_lost = true;
            self.halves[1].is_lost = true;
        }
    }

    /// `version` column.
    fn version(&self) -> &'static str {
        match self.is_resp3 {
            Some(true) => "3",
            Some(false) => "2",
            None => "",
        }
    }

    /// Why something is not known: a loss, or that the beginning was missed.
    fn lost_note(&self) -> u32 {
        if self.trust.has_lost() { notes::GAP } else { notes::PARTIAL }
    }
}

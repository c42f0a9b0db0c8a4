//! Finding messages again after a loss, and what is left of those that it cut.

use super::head::{self, Fields, Read, RequestHead};
use super::record::Answer;
use super::{At, Http1, Reading};
use crate::counters::Counter;
use crate::message::notes;
use crate::output::Outcome;
use crate::protocol::websocket::{self, WebSocket};
use crate::protocol::{Context, Step};
use crate::stream::{Side, View};

/// Bytes that no message begins in, so that a start which is not wholly there yet stays.
pub(super) fn skippable(side: Side, view: View<'_>) -> usize {
    let plausible = plausible(side);
    for mark in view.marks {
        if let Some(at) = mark.offset.checked_sub(view.offset)
            && let Some(bytes) = view.bytes.get(at as usize..)
            && plausible(bytes).is_none()
        {
            return at as usize;
        }
    }
    view.bytes.len()
}

fn plausible(side: Side) -> fn(&[u8]) -> Option<bool> {
    match side {
        Side::Client => head::plausible_request,
        Side::Server => head::plausible_response,
    }
}

impl Http1 {
    /// Where messages may begin after a loss: at the start of a segment.
    pub(super) fn find_start(&mut self, side: Side, view: View<'_>, cx: &mut Context<'_>) -> Option<usize> {
        let plausible = plausible(side);
        for mark in view.marks {
            let Some(at) = mark.offset.checked_sub(view.offset) else { continue };
            let Some(bytes) = view.bytes.get(at as usize..) else { break };
            match plausible(bytes) {
                Some(true) => {
                    self.at[side as usize] = At::Head;
                    self.searched[side as usize] = 0;
                    cx.out.counters.add(Counter::Skipped, at);
                    return Some(at as usize);
                }
                Some(false) => {}
                None => break,
            }
        }
        let skipped = skippable(side, view);
        cx.out.counters.add(Counter::Skipped, skipped as u64);
        None
    }

    /// Where a WebSocket's frames begin though its upgrade was not granted before anybody's eyes: the answer is lost, or
    /// the request too. The number: none begin before.
    pub(super) fn find_websocket(&mut self, side: Side, view: View<'_>, cx: &mut Context<'_>) -> Result<Step, usize> {
        let [client, server] = self.at;
        if server != At::Lost || !matches!(client, At::Lost | At::Held) {
            return Err(view.bytes.len());
        }
        let is_asked = self.pairing.last().is_some_and(|call| call.asks_for(b"websocket"));
        if !is_asked && client == At::Held {
            return Err(view.bytes.len()); // another protocol was asked for
        }
        let (n, found) = websocket::find(view, side, is_asked);
        if !found {
            return Err(n);
        }
        // What was held back begins with a frame.
        let n = if self.at[side as usize] == At::Held { 0 } else { n };
        cx.out.counters.add(Counter::Skipped, n as u64);
        self.put_ended(cx);
        if is_asked {
            let newest = self.pairing.len() - 1;
            let mut call = self.take_call(Some(newest), view.mark(n), cx);
            call.notes |= notes::GAP;
            return Ok(self.switch_to_websocket(call, None, n));
        }
        while let Some(mut call) = self.pairing.take_oldest() {
            call.notes |= notes::GAP;
            self.put_unanswered(call, Outcome::Incomplete, "its response was not captured", cx);
        }
        let reused = if self.exchanges > 0 { notes::REUSED } else { 0 };
        let upgraded = websocket::Upgraded { notes: reused, ..websocket::Upgraded::default() };
        Ok(Step::Handover(n, Box::new(WebSocket::new(upgraded))))
    }

    /// From here on it is not known how many messages were lost; see [`Pairing::requests_lost`] for `heard`.
    ///
    /// [`Pairing::requests_lost`]: crate::pairing::Pairing::requests_lost
    pub(super) fn lose(&mut self, side: Side, heard: Option<u64>) {
        self.at[side as usize] = At::Lost;
        self.searched[side as usize] = 0;
        match side {
            Side::Client => {
                self.reading = Reading::Nothing;
                self.pairing.requests_lost(heard);
            }
            Side::Server => self.pairing.responses_lost(),
        }
    }

    /// Up to there, it is not known what the server sent.
    pub(super) fn unread(&mut self, side: Side, to: u64) {
        if side == Side::Server {
            self.unread_to = self.unread_to.max(to);
        }
    }

    /// Bytes that should be a head are none.
    pub(super) fn invalid(&mut self, side: Side, view: View<'_>, cx: &mut Context<'_>) -> Step {
        self.broken_head(side, view, next_segment(view, 1), cx)
    }

    /// Where another message begins though the head before it has not ended: it is damaged. Whoever sent it had
    /// received more meanwhile, which nobody waits for within a head. `seen`: bytes that were looked at before.
    pub(super) fn another_start(side: Side, view: View<'_>, seen: usize) -> Option<usize> {
        let plausible = plausible(side);
        let first = view.marks.first().filter(|_| seen > 0)?;
        // The last of those that were seen may have been too short to tell.
        let new = view.marks.partition_point(|mark| mark.offset < view.offset + seen as u64).saturating_sub(1);
        view.marks[new..].iter().filter(|mark| mark.ack > first.ack).find_map(|mark| {
            let at = mark.offset.checked_sub(view.offset)? as usize;
            (plausible(view.bytes.get(at..)?) == Some(true)).then_some(at)
        })
    }

    /// Where the next response begins though the body of this one goes on by its framing, which is damaged then: the
    /// client had received so much of it, and no more, when it asked for the next, and what comes there looks like an
    /// answer. False: that can't be told yet, and no more may be taken.
    pub(super) fn next_response(&self, view: View<'_>) -> Option<(usize, bool)> {
        let (start, begins) = self.pairing.awaited()?;
        let at = begins.checked_sub(view.offset)? as usize;
        let bytes = view.bytes.get(at..).filter(|bytes| !bytes.is_empty())?;
        if !view.starts_segment(at) || view.mark(at).ack <= start {
            return None;
        }
        head::plausible_response(bytes).map_or(Some((at, false)), |is_one| is_one.then_some((at, true)))
    }

    /// So many bytes are no head, or the beginning of one that was never ended: what follows is found again.
    pub(super) fn broken_head(&mut self, side: Side, view: View<'_>, len: usize, cx: &mut Context<'_>) -> Step {
        cx.out.counters.add(Counter::Malformed, 1);
        self.lose(side, Some(view.mark(0).ack));
        self.unread(side, view.offset + len as u64);
        cx.out.counters.add(Counter::Skipped, len as u64);
        Step::Consumed(len)
    }

    /// The rest of a head is lost: what there is of it makes a message that ends here.
    pub(super) fn half_head(&mut self, side: Side, rest: View<'_>, cx: &mut Context<'_>) {
        let Some(text) = head::without_end(rest.bytes) else { return };
        let mut message = cx.out.message();
        let max_headers = cx.out.config.limits.headers;
        match side {
            Side::Client => {
                if let Read::Head(head, _) = head::request(&text, 0, max_headers, &mut message) {
                    self.set_times(&mut message, rest, rest.bytes.len());
                    message.head_bytes = rest.bytes.len() as u32;
                    message.notes |= notes::GAP;
                    self.request(
                        message,
                        RequestHead { fields: Fields { host: head.fields.host, ..Fields::default() }, ..head },
                        cx,
                    );
                    self.at[0] = At::Lost;
                }
            }
            Side::Server => {
                if let Read::Head(head, _) = head::response(&text, 0, max_headers, &mut message)
                    && !(100..200).contains(&head.status)
                {
                    self.set_times(&mut message, rest, rest.bytes.len());
                    message.head_bytes = rest.bytes.len() as u32;
                    message.notes |= notes::GAP;
                    let found = self.pairing.find(message.first);
                    let call = self.take_call(found, message.first, cx);
                    let answer = Answer { call, response: message, head, stream: None, ended: false };
                    self.put_answer(answer, None, "", false, cx);
                }
            }
        }
    }
}

/// Where the first segment behind the first `n` bytes begins.
pub(super) fn next_segment(view: View<'_>, n: usize) -> usize {
    let from = view.offset + n.max(1) as u64;
    view.marks
        .iter()
        .find(|mark| mark.offset >= from)
        .map_or(view.bytes.len(), |mark| ((mark.offset - view.offset) as usize).min(view.bytes.len()))
}

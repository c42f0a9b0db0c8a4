//! Which request a response answers, where a protocol answers in order: by evidence, not by counting.
//!
//! A TCP segment acknowledges what its sender had received when it sent it. So a response can only answer a request
//! whose first byte it acknowledges, and a request that already acknowledges a response's first byte was not the one
//! answered by it. While nothing is lost, first in, first out holds within these bounds. After a loss, a client that
//! sends one request at a time gives itself away: its request acknowledges exactly what precedes the response. Where a
//! client has several requests under way and the evidence leaves a choice, nothing is paired rather than wrongly.

use std::collections::VecDeque;

use crate::config::SECOND;
use crate::packet::Nanos;
use crate::stream::Mark;

/// Silence after which earlier requests can be taken as answered or given up.
const QUIET: Nanos = SECOND;

struct Slot<T> {
    item: T,
    /// Stream offset of the request's first byte.
    start: u64,
    /// How much of the server's stream the client had received when it sent it.
    ack: u64,
    /// Requests before it were lost: the server's stream offset at that time.
    after_loss: Option<u64>,
    /// Sent after a silence.
    fresh: bool,
    held: usize,
}

/// Requests of one connection that wait for their responses.
pub struct Pairing<T> {
    queue: VecDeque<Slot<T>>,
    pipelined: bool,
    responses_lost: bool,
    requests_lost: Option<u64>,
    /// Behind the last response, in the server's stream.
    answered_to: u64,
    /// A response has begun and not ended.
    in_answer: bool,
    /// What the first request that was sent meanwhile acknowledged.
    asked_meanwhile: Option<u64>,
    last_time: Option<Nanos>,
    held: usize,
}

impl<T> Default for Pairing<T> {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            pipelined: false,
            responses_lost: false,
            requests_lost: None,
            answered_to: 0,
            in_answer: false,
            asked_meanwhile: None,
            last_time: None,
            held: 0,
        }
    }
}

impl<T> Pairing<T> {
    /// A request was sent; `mark` is that of its first byte. Says whether an earlier one is still unanswered.
    pub fn ask(&mut self, item: T, mark: Mark) -> bool {
        let waiting = !self.queue.is_empty();
        // A client that has received more than is known of had its answer, though nobody could read that.
        let heard_no_more = self.in_answer || mark.ack <= self.answered_to;
        let behind_another = waiting && !self.responses_lost && heard_no_more;
        self.pipelined |= behind_another;
        if self.in_answer {
            self.asked_meanwhile.get_or_insert(mark.ack);
        }
        let fresh = self.last_time.is_some_and(|last| mark.time - last >= QUIET);
        let after_loss = self.requests_lost.take().filter(|_| !fresh || waiting);
        if self.queue.capacity() == 0 {
            self.queue.reserve_exact(1); // most connections never have two: idle ones are not to keep room for four
        }
        self.queue.push_back(Slot { item, start: mark.offset, ack: mark.ack, after_loss, fresh, held: 0 });
        self.last_time = Some(mark.time);
        behind_another
    }

    /// The newest request takes so many bytes of memory.
    pub fn hold(&mut self, bytes: usize) {
        if let Some(slot) = self.queue.back_mut() {
            self.held = self.held - slot.held + bytes;
            slot.held = bytes;
        }
    }

    /// Bytes of memory that the requests take which wait.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Requests may have been lost behind the last one. `heard`: how much of the server's stream the client had
    /// received when it sent the first of them, if that is known.
    pub fn requests_lost(&mut self, heard: Option<u64>) {
        let floor = heard.unwrap_or(u64::MAX).min(self.answered_to);
        self.requests_lost.get_or_insert(floor);
    }

    /// Responses may have been lost before the next one.
    pub fn responses_lost(&mut self) {
        self.responses_lost |= !self.queue.is_empty();
        self.in_answer = false;
        self.asked_meanwhile = None;
    }

    /// Which request the response answers that begins at `mark`; see [`Self::get`], [`Self::take`].
    pub fn find(&mut self, mark: Mark) -> Option<usize> {
        self.last_time = self.last_time.max(Some(mark.time));
        let possible = |slot: &Slot<T>| slot.start < mark.ack && slot.ack <= mark.offset;
        let lossy = self.responses_lost || self.queue.front()?.after_loss.is_some();
        if !lossy {
            return possible(self.queue.front()?).then_some(0);
        }
        let from = self.queue.iter().rposition(|slot| slot.fresh && possible(slot));
        let first = from.unwrap_or(0);
        let choices = self.queue.iter().skip(first).filter(|slot| possible(slot)).count();
        // With requests lost behind those that wait, the response may answer one of them.
        let first_is_certain =
            self.requests_lost.is_none() && (from.is_some() || self.queue[first].after_loss.is_none());
        if self.pipelined {
            return (choices == 1 && first_is_certain && possible(&self.queue[first])).then_some(first);
        }
        let exact = self.queue.iter().rposition(|slot| {
            possible(slot) && slot.ack == mark.offset && slot.after_loss.is_none_or(|floor| slot.ack > floor)
        });
        exact.or_else(|| (choices == 1 && first_is_certain && possible(&self.queue[first])).then_some(first))
    }

    /// Of a client that sends one request at a time, the request that waits: where it begins in its stream, and where
    /// its response begins in the server's.
    pub fn awaited(&self) -> Option<(u64, u64)> {
        self.queue.front().filter(|_| !self.pipelined).map(|slot| (slot.start, slot.ack))
    }

    /// The request that was found.
    pub fn get(&mut self, index: usize) -> Option<&mut T> {
        self.queue.get_mut(index).map(|slot| &mut slot.item)
    }

    /// The newest request.
    pub fn last(&mut self) -> Option<&mut T> {
        self.queue.back_mut().map(|slot| &mut slot.item)
    }

    /// Takes the request that was found. Those before it, whose responses were lost, are given to `skipped`.
    pub fn take(&mut self, index: usize, mut skipped: impl FnMut(T)) -> Option<T> {
        for slot in self.queue.drain(..index) {
            self.held -= slot.held;
            skipped(slot.item);
        }
        self.responses_lost = false;
        self.in_answer = true;
        self.take_oldest()
    }

    /// How much of the server's stream the client had received when it sent the oldest request that waits.
    pub fn oldest_heard(&self) -> Option<u64> {
        self.queue.front().map(|slot| slot.ack)
    }

    /// Takes the oldest request, answered or not.
    pub fn take_oldest(&mut self) -> Option<T> {
        let slot = self.queue.pop_front()?;
        self.held -= slot.held;
        Some(slot.item)
    }

    /// A response (also an interim or unpaired one) ended at this offset of the server's stream.
    pub fn answered(&mut self, offset: u64, time: Nanos) {
        self.answered_to = self.answered_to.max(offset);
        self.in_answer = false;
        // What was asked before all of it had come did not wait for it.
        self.pipelined |= self.asked_meanwhile.take().is_some_and(|heard| heard < offset);
        self.last_time = self.last_time.max(Some(time));
    }

    /// Requests that wait.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// All that wait, oldest first.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.queue.iter_mut().map(|slot| &mut slot.item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(offset: u64, ack: u64) -> Mark {
        Mark { offset, ack, time: 0 }
    }

    fn answer(pairing: &mut Pairing<u32>, offset: u64, ack: u64) -> Option<u32> {
        let index = pairing.find(mark(offset, ack))?;
        pairing.take(index, |_| ())
    }

    #[test]
    fn in_order_while_nothing_is_lost() {
        let mut pairing = Pairing::default();
        pairing.ask(1, mark(0, 0));
        assert!(pairing.ask(2, mark(10, 0)));
        assert_eq!(answer(&mut pairing, 0, 20), Some(1));
        assert_eq!(answer(&mut pairing, 50, 20), Some(2));
    }

    #[test]
    fn a_response_that_does_not_acknowledge_the_request_is_not_its_answer() {
        let mut pairing = Pairing::default();
        pairing.ask(1, mark(10, 0));
        assert_eq!(answer(&mut pairing, 0, 10), None); // it answers what came before offset 10
        assert_eq!(answer(&mut pairing, 50, 20), Some(1));
    }

    #[test]
    fn a_request_that_acknowledges_the_response_was_sent_after_it() {
        let mut pairing = Pairing::default();
        pairing.ask(1, mark(10, 50));
        assert_eq!(answer(&mut pairing, 0, 20), None);
        assert_eq!(answer(&mut pairing, 50, 20), Some(1));
    }

    #[test]
    fn a_lost_response_shifts_nothing() {
        let mut pairing = Pairing::default();
        pairing.ask(1, mark(0, 0));
        pairing.responses_lost();
        pairing.ask(2, mark(10, 50));
        assert_eq!(answer(&mut pairing, 50, 20), Some(2));
        assert!(pairing.is_empty());
    }

    #[test]
    fn a_lost_request_shifts_nothing() {
        let mut pairing = Pairing::default();
        pairing.answered(50, 0);
        pairing.requests_lost(None);
        assert_eq!(answer(&mut pairing, 50, 20), None); // the answer to the lost one
        pairing.answered(90, 0);
        pairing.ask(3, mark(20, 90));
        assert_eq!(answer(&mut pairing, 90, 30), Some(3));
    }

    #[test]
    fn a_request_that_shows_late_to_be_damaged_shifts_nothing() {
        let mut pairing = Pairing::default();
        pairing.answered(50, 0);
        assert_eq!(answer(&mut pairing, 50, 20), None); // the answer to what can't be read
        pairing.answered(90, 0);
        pairing.requests_lost(Some(50));
        pairing.ask(3, mark(20, 90));
        assert_eq!(answer(&mut pairing, 90, 30), Some(3));
    }

    #[test]
    fn a_lost_response_and_the_next_request_lost_too_shift_nothing() {
        let mut pairing = Pairing::default();
        pairing.ask(1, mark(0, 0));
        pairing.responses_lost();
        pairing.requests_lost(None);
        assert_eq!(answer(&mut pairing, 50, 20), None);
    }

    #[test]
    fn pipelined_requests_behind_a_lost_one_stay_unpaired() {
        let mut pairing = Pairing::default();
        pairing.requests_lost(None);
        pairing.ask(2, mark(10, 0)); // sent together with the lost one
        assert_eq!(answer(&mut pairing, 0, 20), None);
    }

    #[test]
    fn an_answer_that_nobody_could_read_makes_no_pipelining() {
        let mut pairing = Pairing::default();
        pairing.ask(1, mark(0, 0));
        assert!(!pairing.ask(2, mark(10, 50))); // the client had its answer
        pairing.responses_lost();
        assert_eq!(answer(&mut pairing, 50, 20), Some(2));
        pairing.answered(80, 0);
        pairing.ask(3, mark(20, 80));
        assert!(pairing.ask(4, mark(30, 80)));
        assert_eq!(answer(&mut pairing, 80, 40), Some(3));
        assert!(pairing.ask(5, mark(40, 100))); // in the middle of the third answer, behind the fourth
    }

    #[test]
    fn a_request_in_the_middle_of_an_answer_is_pipelined() {
        let mut pairing = Pairing::default();
        pairing.ask(1, mark(0, 0));
        assert_eq!(answer(&mut pairing, 0, 10), Some(1));
        pairing.ask(2, mark(10, 25));
        pairing.answered(50, 0);
        pairing.ask(3, mark(20, 50));
        pairing.responses_lost();
        assert_eq!(answer(&mut pairing, 50, 30), None); // to the second or the third: not exactly the third
    }

    #[test]
    fn after_a_silence_pairing_begins_anew() {
        let mut pairing = Pairing::default();
        pairing.requests_lost(None);
        pairing.ask(2, mark(10, 0));
        pairing.ask(3, mark(20, 0));
        assert_eq!(answer(&mut pairing, 0, 30), None);
        assert_eq!(answer(&mut pairing, 40, 30), None);
        pairing.ask(4, Mark { offset: 30, ack: 80, time: 2 * SECOND });
        assert_eq!(answer(&mut pairing, 80, 40), Some(4));
        assert!(pairing.is_empty());
    }
}

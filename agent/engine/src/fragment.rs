//! IP fragments put together again (RFC 791 section 3.2, RFC 8200 section 4.5).
//!
//! Bounded in bytes, datagrams and packet time: fragments are the classic way to make a listener hold memory for
//! nothing. Where fragments overlap, the bytes that came first stay, so that nothing already seen is rewritten.

use std::collections::VecDeque;

use hashbrown::HashMap;

use crate::packet::{Addr, Nanos};

/// Bytes held for all unfinished datagrams: 256 of the largest, and far more than a healthy network ever has on the way.
const MAX_HELD: usize = 16 << 20;

/// Unfinished datagrams held.
const MAX_DATAGRAMS: usize = 4096;

/// How long a datagram waits for its missing pieces, as Linux does (`ipfrag_time`).
const MAX_AGE: Nanos = 30_000_000_000;

/// Runs of bytes that one datagram may consist of while pieces are missing: the largest datagram in pieces of 512 bytes,
/// every second one missing.
const MAX_RUNS: usize = 64;

/// The largest datagram (RFC 791 section 3.1; RFC 8200 section 4.5 says the same of a reassembled packet).
const MAX_DATAGRAM: usize = 65_535;

/// What the fragments of one datagram have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Sender.
    pub src: Addr,
    /// Receiver.
    pub dst: Addr,
    /// Identification.
    pub id: u32,
    /// The protocol in IPv4; `None` in IPv6, where only the first fragment tells it.
    pub protocol: Option<u8>,
}

/// One fragment.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// The protocol that it says the datagram carries.
    pub protocol: u8,
    /// Where its bytes belong in the datagram's payload.
    pub offset: usize,
    /// Whether there are fragments behind it.
    pub more: bool,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// The payload of a datagram that is whole again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// What it carries, as the first fragment says.
    pub protocol: u8,
    /// All of its bytes.
    pub bytes: Vec<u8>,
}

/// What this stage saw and dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Fragments.
    pub fragments: u64,
    /// Datagrams that became whole.
    pub reassembled: u64,
    /// Fragments with bytes that were there already: sent twice, captured twice, or an attack.
    pub overlapping: u64,
    /// Fragments that can't be: of no length, of odd length, beyond the largest datagram or the datagram's end.
    pub malformed: u64,
    /// Datagrams given up because pieces did not come in time.
    pub expired: u64,
    /// Datagrams given up to make room, or because they were in too many pieces.
    pub evicted: u64,
}

impl Counters {
    /// All, as (stage, name, value).
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        [
            ("fragments", self.fragments),
            ("reassembled", self.reassembled),
            ("overlapping", self.overlapping),
            ("malformed", self.malformed),
            ("expired", self.expired),
            ("evicted", self.evicted),
        ]
        .into_iter()
        .map(|(name, value)| ("fragment", name, value))
    }
}

/// Datagrams that wait for fragments.
#[derive(Debug, Default)]
pub struct Fragments {
    waiting: HashMap<Key, Datagram>,
    /// Every waiting datagram, oldest first, and some that are gone.
    order: VecDeque<(Key, u64)>,
    next_serial: u64,
    held: usize,
    /// What was seen and dropped.
    pub counters: Counters,
}

#[derive(Debug)]
struct Datagram {
    /// Tells it from others of the same key, before and after.
    serial: u64,
    since: Nanos,
    protocol: u8,
    bytes: Vec<u8>,
    /// Runs of bytes that are there: start and end, ascending, never touching.
    runs: Vec<(usize, usize)>,
    /// Its length, once its last fragment came.
    len: Option<usize>,
}

impl Fragments {
    /// Takes a fragment captured at `now`; gives the datagram that it completes.
    pub fn add(&mut self, key: Key, piece: Piece<'_>, now: Nanos) -> Option<Whole> {
        self.counters.fragments += 1;
        self.expire(now);
        let end = piece.offset + piece.bytes.len();
        if piece.bytes.is_empty() || end > MAX_DATAGRAM || (piece.more && !end.is_multiple_of(8)) {
            self.counters.malformed += 1;
            return None;
        }
        let datagram = self.waiting.entry(key).or_insert_with(|| {
            self.next_serial += 1;
            self.order.push_back((key, self.next_serial));
            Datagram::new(self.next_serial, now, piece.protocol)
        });
        if !datagram.accepts(end, piece.more) {
            self.counters.malformed += 1;
            return None;
        }
        if piece.offset == 0 {
            datagram.protocol = piece.protocol;
        }
        let before = datagram.bytes.len();
        if datagram.insert(piece.offset, piece.bytes) {
            self.counters.overlapping += 1;
        }
        self.held += datagram.bytes.len() - before;
        if datagram.is_whole() {
            self.counters.reassembled += 1;
            return self.remove(key).map(|whole| Whole { protocol: whole.protocol, bytes: whole.bytes });
        }
        if datagram.runs.len() > MAX_RUNS {
            self.counters.evicted += 1;
            self.remove(key);
        }
        while self.held > MAX_HELD || self.waiting.len() > MAX_DATAGRAMS {
            self.drop_oldest();
        }
        None
    }

    /// Gives up what waited too long.
    fn expire(&mut self, now: Nanos) {
        while let Some(&(key, serial)) = self.order.front() {
            match self.waiting.get(&key) {
                Some(datagram) if datagram.serial == serial => {
                    if now.saturating_sub(datagram.since) <= MAX_AGE {
                        break;
                    }
                    self.counters.expired += 1;
                    self.remove(key);
                }
                _ => {}
            }
            self.order.pop_front();
        }
        // One that waits in front keeps those behind it that are gone: sweep them out before they add up.
        if self.order.len() > 2 * self.waiting.len() + 64 {
            let waiting = &self.waiting;
            self.order.retain(|(key, serial)| waiting.get(key).is_some_and(|datagram| datagram.serial == *serial));
        }
    }

    fn drop_oldest(&mut self) {
        while let Some((key, serial)) = self.order.pop_front() {
            if self.waiting.get(&key).is_some_and(|datagram| datagram.serial == serial) {
                self.counters.evicted += 1;
                self.remove(key);
                return;
            }
        }
    }

    fn remove(&mut self, key: Key) -> Option<Datagram> {
        let datagram = self.waiting.remove(&key)?;
        self.held -= datagram.bytes.len();
        Some(datagram)
    }
}

impl Datagram {
    fn new(serial: u64, since: Nanos, protocol: u8) -> Self {
        Self { serial, since, protocol, bytes: Vec::new(), runs: Vec::new(), len: None }
    }

    /// Whether a fragment that ends there fits what is known of the datagram's length; learns it from the last one.
    fn accepts(&mut self, end: usize, more: bool) -> bool {
        match self.len {
            Some(len) if more => end < len,
            Some(len) => end == len,
            None if more => true,
            None if end < self.bytes.len() => false,
            None => {
                self.len = Some(end);
                true
            }
        }
    }

    /// Puts bytes where there are none yet; tells whether some were there.
    fn insert(&mut self, start: usize, bytes: &[u8]) -> bool {
        let end = start + bytes.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        // The runs that the new bytes overlap or touch become one with them.
        let first = self.runs.partition_point(|run| run.1 < start);
        let behind = self.runs.partition_point(|run| run.0 <= end);
        let mut merged = (start, end);
        let mut at = start;
        let mut put = 0;
        for &(from, to) in &self.runs[first..behind] {
            if at < from {
                self.bytes[at..from].copy_from_slice(&bytes[at - start..from - start]);
                put += from - at;
            }
            at = at.max(to);
            merged = (merged.0.min(from), merged.1.max(to));
        }
        if at < end {
            self.bytes[at..end].copy_from_slice(&bytes[at - start..]);
            put += end - at;
        }
        self.runs.splice(first..behind, [merged]);
        put < bytes.len()
    }

    fn is_whole(&self) -> bool {
        self.len.is_some_and(|len| self.runs == [(0, len)])
    }
}

#[cfg(test)]
mod tests;

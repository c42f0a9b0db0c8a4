//! Finding frames in bytes of which nothing is known: for connections joined mid-stream, and after a loss.
//!
//! A frame has no mark of its own. What gives it away is that the next one follows where its length says. Each header in
//! such a chain is evidence, counted in bits; enough of it is needed that other bytes practically never look like it.

use super::frame::{Frame, HEADER, PREFACE, code, flag, fragment, kind};
use super::hpack;
use crate::protocol::Probe;
use crate::stream::{Side, View};

/// Enough to recognise the protocol by.
const ENOUGH: u32 = 60;
/// Enough where it is known to be HTTP/2, and frames are likely to begin: at the start of a segment.
const ENOUGH_HERE: u32 = 40;
/// Enough anywhere: there are a thousand times as many places.
const ENOUGH_ANYWHERE: u32 = 80;
/// What small frames of data may count for in all: arrays of small numbers look like them.
const MOST_OF_DATA: u32 = 48;
/// Frames that are looked at.
const LONGEST: usize = 16;
/// Bytes that are kept for a frame that may begin there until the next header shows it: a largest usual frame, twice.
const KEPT: usize = 33 << 10;

/// What a chain of frames is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Chain {
    evidence: u32,
    /// It is broken: these are no frames.
    broken: bool,
    /// It goes on behind the bytes.
    cut: bool,
    /// Who sends such frames.
    sender: Option<Side>,
}

/// Follows the frames from the start of the bytes. `known`: whether a stream is open.
fn follow(bytes: &[u8], known: impl Fn(u32) -> bool) -> Chain {
    let mut chain = Chain::default();
    let (mut at, mut of_data) = (0, 0);
    // In a header block: nothing but its continuation may follow.
    let mut block = None;
    for _ in 0..LONGEST {
        let rest = &bytes[at..];
        if rest.is_empty() {
            // Senders flush after a frame: that the bytes end with one is no accident.
            chain.evidence += 8;
            return chain;
        }
        let Some(frame) = Frame::read(rest) else {
            chain.broken |= !may_begin(rest);
            chain.cut = true;
            return chain;
        };
        let continued = block.is_none_or(|stream| frame.kind == kind::CONTINUATION && frame.stream == stream);
        let Some(bits) = frame.evidence(rest[5]).filter(|_| continued) else {
            chain.broken = true;
            return chain;
        };
        if frame.kind == kind::CONTINUATION && block.is_none() && at > 0 {
            chain.broken = true;
            return chain;
        }
        if let Some(at) = frame.code_at() {
            let Some(&code) = rest.get(HEADER + at..).and_then(|rest| rest.first_chunk::<4>()) else {
                chain.cut = true;
                return chain;
            };
            if u32::from_be_bytes(code) > code::LAST {
                chain.broken = true;
                return chain;
            }
        }
        let bits = bits + if frame.stream != 0 && known(frame.stream) { 16 } else { 0 };
        if frame.kind == kind::DATA && frame.len < 16 << 10 {
            let counted = bits.min(MOST_OF_DATA - of_data);
            of_data += counted;
            chain.evidence += counted;
        } else {
            chain.evidence += bits;
        }
        let Some(payload) = rest.get(HEADER..HEADER + frame.len) else {
            chain.cut = true;
            return chain;
        };
        if frame.kind == kind::HEADERS {
            let fields = 5 * usize::from(frame.has(flag::PRIORITY));
            let Some(fragment) = fragment(frame, payload, fields) else {
                chain.broken = true;
                return chain;
            };
            if frame.has(flag::END_HEADERS) {
                let Some(sender) = hpack::plausible(fragment) else {
                    chain.broken = true;
                    return chain;
                };
                // The longer, the less likely it is that the block is one by chance.
                let likely = 2 * fragment.len().min(16) as u32;
                chain.evidence += likely + if sender.is_some() { 8 } else { 0 };
                chain.sender = chain.sender.or(sender);
            }
        }
        block = match frame.kind {
            kind::HEADERS | kind::PUSH_PROMISE | kind::CONTINUATION if !frame.has(flag::END_HEADERS) => {
                Some(frame.stream)
            }
            _ => None,
        };
        at += HEADER + frame.len;
    }
    chain
}

/// Whether less than a header can become one.
fn may_begin(bytes: &[u8]) -> bool {
    let mut header = [0; HEADER];
    header[..bytes.len()].copy_from_slice(bytes);
    let large = bytes.len() >= 2 && u16::from_be_bytes([header[0], header[1]]) > 0x40;
    !large && header[0] == 0 && (bytes.len() < 4 || header[3] <= kind::CONTINUATION)
}

/// How HTTP/2 is recognised: by the preface, or by a chain of frames with one that tells who sends it.
pub(super) fn probe(bytes: &[u8]) -> Probe {
    let len = bytes.len().min(PREFACE.len());
    if bytes[..len] == PREFACE[..len] {
        return if len == PREFACE.len() { Probe::Match(Side::Client) } else { Probe::More };
    }
    let chain = follow(bytes, |_| false);
    match chain.sender {
        _ if chain.broken => Probe::No,
        Some(side) if chain.evidence >= ENOUGH => Probe::Match(side),
        _ => Probe::More,
    }
}

/// What was found of frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// They begin here.
    At(usize),
    /// They may begin here, which more bytes will show; not before.
    Perhaps(usize),
}

/// Looks for frames: at the starts of segments first.
pub(super) fn find(view: View<'_>, known: impl Fn(u32) -> bool) -> Found {
    let bytes = view.bytes;
    let mut perhaps = bytes.len();
    let mut undecided = |at: usize| {
        if bytes.len() - at <= KEPT {
            perhaps = perhaps.min(at);
        }
    };
    for mark in view.marks {
        let Some(at) = mark.offset.checked_sub(view.offset) else { continue };
        let Some(rest) = bytes.get(at as usize..).filter(|rest| !rest.is_empty()) else { break };
        let chain = follow(rest, &known);
        if !chain.broken && chain.evidence >= ENOUGH_HERE {
            return Found::At(at as usize);
        }
        if !chain.broken && chain.cut {
            undecided(at as usize);
        }
    }
    let mut at = 0;
    while let Some(zero) = memchr::memchr(0, &bytes[at..]) {
        at += zero;
        let rest = &bytes[at..];
        if may_begin(&rest[..rest.len().min(HEADER)]) {
            let chain = follow(rest, &known);
            if !chain.broken && chain.evidence >= ENOUGH_ANYWHERE {
                return Found::At(at);
            }
            if !chain.broken && chain.cut && (rest.len() < HEADER || chain.evidence >= 28) {
                undecided(at);
            }
        }
        at += 1;
    }
    Found::Perhaps(perhaps)
}

/// Where in what should be the payload of one frame others begin, at the start of a segment: its length is damaged.
#[inline]
pub(super) fn inside(view: View<'_>, side: Side, known: impl Fn(u32) -> bool) -> Option<usize> {
    if view.marks.len() == 1 && view.marks[0].offset < view.offset {
        return None;
    }
    view.marks.iter().find_map(|mark| {
        let at = mark.offset.checked_sub(view.offset)? as usize;
        let rest = view.bytes.get(at..)?;
        // Nearly all payloads are refused by their first byte.
        (rest.first() == Some(&0) && begins(rest, side, &known)).then_some(at)
    })
}

#[cold]
fn begins(bytes: &[u8], side: Side, known: impl Fn(u32) -> bool) -> bool {
    let chain = follow(bytes, known);
    let enough = if chain.sender == Some(side) { ENOUGH } else { ENOUGH_ANYWHERE };
    !chain.broken && chain.evidence >= enough
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// SplitMix64: many random bytes at once.
    fn random(seed: u64, len: usize) -> Vec<u8> {
        (0..len.div_ceil(8)).flat_map(|at| crate::id::mix(&[seed, at as u64]).to_le_bytes()).take(len).collect()
    }

    #[test]
    fn random_bytes_are_not_taken_for_frames() {
        for seed in 0..20_000 {
            let bytes = random(seed, 1448);
            assert!(!matches!(probe(&bytes), Probe::Match(_)), "seed {seed}");
            let mark = crate::stream::Mark::default();
            let view = View { bytes: &bytes, offset: 0, marks: &[mark] };
            assert!(matches!(find(view, |stream| stream < 64), Found::Perhaps(_)), "seed {seed}");
        }
    }

    #[test]
    fn small_numbers_are_not_taken_for_frames() {
        // Arrays of small integers, the hardest of usual binary data.
        for seed in 0..20_000u64 {
            let wide = random(seed, 1448);
            let bytes: Vec<u8> = wide
                .iter()
                .enumerate()
                .map(|(at, b)| if at % (1 + seed as usize % 5) == 0 { b % 10 } else { 0 })
                .collect();
            assert!(!matches!(probe(&bytes), Probe::Match(_)), "seed {seed}");
            let mark = crate::stream::Mark::default();
            let view = View { bytes: &bytes, offset: 0, marks: &[mark] };
            assert!(matches!(find(view, |stream| stream < 16), Found::Perhaps(_)), "seed {seed}");
        }
    }

    #[test]
    fn other_protocols_are_told_apart_by_their_first_bytes() {
        for first in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"HTTP/1.1 200 OK\r\n",
            b"*1\r\n$4\r\nPING\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
            b"\x00\x00\x00\x08\x04\xd2\x16\x2f",
            b"J\x00\x00\x00\x0a8.0.33\x00",
            b"AMQP\x00\x00\x09\x01",
            b"\x00\x00\x00#\x00\x12\x00\x04\x00",
        ] {
            assert_ne!(probe(first), Probe::Match(Side::Client), "{first:?}");
            assert_ne!(probe(first), Probe::Match(Side::Server), "{first:?}");
        }
    }

    #[test]
    fn the_end_of_a_header_and_padding_are_no_goaway() {
        // Of DATA with 7 bytes of padding, on stream 15; a message of 9 bytes follows.
        let bytes = b"\x00\x00\x0f\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x19\x00\x00\x09\x00\x00\x00\x00";
        let view = View { bytes, offset: 0, marks: &[crate::stream::Mark::default()] };
        assert!(matches!(find(view, |_| true), Found::Perhaps(_)));
    }

    #[test]
    fn a_head_tells_who_sends_it() {
        assert_eq!(probe(PREFACE), Probe::Match(Side::Client));
        assert_eq!(probe(&PREFACE[..7]), Probe::More);
        let request = b"\x00\x00\x0c\x01\x05\x00\x00\x00\x07\x82\x86\x84\xbe\xbf\xc0\x40\x01a\x02bc";
        assert_eq!(probe(request), Probe::Match(Side::Client));
        let response = b"\x00\x00\x02\x01\x04\x00\x00\x00\x07\x88\xbe\x00\x00\x02\x00\x01\x00\x00\x00\x07ok";
        assert_eq!(probe(response), Probe::Match(Side::Server));
        assert_eq!(probe(b"\x00\x00\x00\x04\x01\x00\x00\x00\x00"), Probe::More, "who acknowledges settings?");
    }

    proptest! {
        #[test]
        fn any_bytes(bytes: Vec<u8>) {
            probe(&bytes);
        }
    }
}

//! What headers say that has columns of its own, and which of them hold secrets.

use std::collections::HashMap;

use crate::message::Message;
use crate::redact::{HeaderKind, Redactor};

/// What a header is besides a name and a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Plain,
    /// Its value may hold a secret.
    Secret(HeaderKind),
    ContentType,
    ContentEncoding,
    TraceParent,
    B3,
    B3TraceId,
    B3SpanId,
}

/// Classes of header names by name: asking the redactor for each header of each message would cost more than all else.
#[derive(Default)]
pub(super) struct Classes {
    known: HashMap<Box<[u8]>, u32, foldhash::fast::RandomState>,
    names: Vec<Name>,
    /// The name that was looked up last, by [`Side`](crate::stream::Side).
    last: [usize; 2],
}

struct Name {
    text: Short,
    class: Class,
    /// What came behind it the last time, by side. Peers send the same headers in the same order over and over: one
    /// comparison finds most names.
    next: [u32; 2],
}

/// Distinct header names whose class is remembered; real traffic has a few hundred.
const CLASSES: usize = 4096;

/// A text of at most 32 bytes that is compared without a call, and without a branch on its length.
struct Short {
    halves: [u128; 2],
    masks: [u128; 2],
    len: usize,
}

impl Short {
    const MOST: usize = 32;

    /// None: it is longer.
    fn of(text: &[u8]) -> Option<Self> {
        let mut block = [0; Self::MOST];
        block.get_mut(..text.len())?.copy_from_slice(text);
        let mut mask = [0; Self::MOST];
        mask[..text.len()].fill(0xff);
        Some(Self { halves: halves(&block), masks: halves(&mask), len: text.len() })
    }

    /// Whether it is what the text has from `start` to `end`.
    #[inline]
    fn is(&self, text: &[u8], start: usize, end: usize) -> bool {
        if end - start != self.len {
            return false;
        }
        let mut last = [0; Self::MOST];
        let block = match text[start..].first_chunk() {
            Some(block) => block,
            None => {
                last[..self.len].copy_from_slice(&text[start..end]);
                &last
            }
        };
        let [low, high] = halves(block);
        (low ^ self.halves[0]) & self.masks[0] | (high ^ self.halves[1]) & self.masks[1] == 0
    }
}

#[inline]
fn halves(block: &[u8; Short::MOST]) -> [u128; 2] {
    let (blocks, _) = block.as_chunks();
    [u128::from_ne_bytes(blocks[0]), u128::from_ne_bytes(blocks[1])]
}

impl Classes {
    /// The class of the name that the text has from `start` to `end`.
    #[inline]
    pub fn of(&mut self, side: usize, text: &[u8], (start, end): (u32, u32), redactor: &Redactor) -> Class {
        let (start, end) = (start as usize, end as usize);
        if let Some(last) = self.names.get(self.last[side]) {
            let next = last.next[side] as usize;
            if let Some(guess) = self.names.get(next)
                && guess.text.is(text, start, end)
            {
                self.last[side] = next;
                return guess.class;
            }
        }
        self.look_up(side, &text[start..end], redactor)
    }

    #[inline(never)]
    fn look_up(&mut self, side: usize, name: &[u8], redactor: &Redactor) -> Class {
        let at = match self.known.get(name) {
            Some(at) => *at,
            None => {
                let class = Self::classify(name, redactor);
                let Some(text) = Short::of(name).filter(|_| self.names.len() < CLASSES) else { return class };
                let at = self.names.len() as u32;
                self.names.push(Name { text, class, next: [at; 2] });
                self.known.insert(name.into(), at);
                at
            }
        };
        if let Some(last) = self.names.get_mut(self.last[side]) {
            last.next[side] = at;
        }
        self.last[side] = at as usize;
        self.names[at as usize].class
    }

    fn classify(name: &[u8], redactor: &Redactor) -> Class {
        match name.to_ascii_lowercase().as_slice() {
            b"content-type" => Class::ContentType,
            b"content-encoding" => Class::ContentEncoding,
            b"traceparent" => Class::TraceParent,
            b"b3" => Class::B3,
            b"x-b3-traceid" => Class::B3TraceId,
            b"x-b3-spanid" => Class::B3SpanId,
            _ => redactor.header_kind(name).map_or(Class::Plain, Class::Secret),
        }
    }
}

/// What the headers of a message said that has columns of its own; spans into the message's text.
#[derive(Default)]
pub(super) struct Said {
    pub content_type: Option<(u32, u32)>,
    pub content_encoding: Option<(u32, u32)>,
    pub trace: Option<(Class, (u32, u32))>,
    pub span: Option<(u32, u32)>,
    pub redacted: bool,
}

impl Said {
    /// Trace id and, if there is one, span id of these headers of a request: of W3C Trace Context or B3.
    pub fn trace_ids<'a>(&self, request: &'a Message) -> Option<(&'a [u8], Option<&'a [u8]>)> {
        let (class, span) = self.trace?;
        let value = request.span(span).trim_ascii();
        let (first, rest) = part(value);
        let (trace, span_id) = match class {
            // version "-" trace-id "-" parent-id "-" trace-flags
            Class::TraceParent => {
                let (trace, rest) = part(rest);
                (trace, Some(part(rest).0))
            }
            // {TraceId}-{SpanId}-{SamplingState}-{ParentSpanId}
            Class::B3 => (first, Some(part(rest).0)),
            _ => (value, self.span.map(|span| request.span(span).trim_ascii())),
        };
        let span_id = span_id.filter(|id| id.len() == 16 && is_hex(id));
        is_hex(trace).then_some((trace, span_id))
    }
}

/// Whether there are hexadecimal digits only, and as many as a trace id or half of one has. Without a branch for each:
/// they are as random as they can be.
fn is_hex(text: &[u8]) -> bool {
    let all = |block: &[u8; 16]| block.iter().fold(true, |all, byte| all & byte.is_ascii_hexdigit());
    let (blocks, rest) = text.as_chunks();
    matches!(blocks.len(), 1 | 2) && rest.is_empty() && blocks.iter().all(all)
}

/// `Text/HTML; charset=utf-8` -> `Text/HTML` (RFC 9110 section 8.3.1).
pub(super) fn media_type(value: &[u8]) -> &[u8] {
    let end = memchr::memchr(b';', value).unwrap_or(value.len());
    value[..end].trim_ascii()
}

/// What is in front of the first hyphen, and behind it.
fn part(value: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b'-', value) {
        Some(at) => (&value[..at], &value[at + 1..]),
        None => (value, b""),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_short_text_is_found_where_it_is_and_nowhere_else(
            name in "[a-c]{0,32}",
            before in "[a-c]{0,3}",
            other in "[a-c]{0,32}",
            behind in "[a-c]{0,40}",
        ) {
            let short = Short::of(name.as_bytes()).expect("it is short");
            for found in [&name, &other] {
                let text = format!("{before}{found}{behind}");
                let (start, end) = (before.len(), before.len() + found.len());
                prop_assert_eq!(short.is(text.as_bytes(), start, end), *found == name);
            }
        }
    }

    #[test]
    fn classes_do_not_depend_on_what_came_before() {
        let redactor = Redactor::new([7; 16], &[]);
        let long = "x-".repeat(17);
        let names = ["Content-Type", "accept", "authorization", "content-type", &long, "b3", "", "x-b3-spanid"];
        let mut classes = Classes::default();
        for turn in 0..200usize {
            let name = names[turn * turn % names.len()];
            let text = format!("{name}: value");
            let class = classes.of(turn % 2, text.as_bytes(), (0, name.len() as u32), &redactor);
            assert!(class == Classes::classify(name.as_bytes(), &redactor), "{name}");
        }
    }
}

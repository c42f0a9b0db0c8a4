//! What headers say that has columns of its own, and which of them hold secrets.

use std::collections::HashMap;

use super::exchange::ExchangeColumns;
use crate::message::Message;
use crate::redact::Redactor;

/// What a header is besides a name and a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Plain,
    Secret,
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
    known: HashMap<Box<[u8]>, Class, foldhash::fast::RandomState>,
}

/// Distinct header names whose class is remembered; real traffic has a few hundred.
const CLASSES: usize = 4096;

impl Classes {
    #[inline]
    pub fn of(&mut self, name: &[u8], redactor: &Redactor) -> Class {
        if let Some(class) = self.known.get(name) {
            return *class;
        }
        let class = match name.to_ascii_lowercase().as_slice() {
            b"content-type" => Class::ContentType,
            b"content-encoding" => Class::ContentEncoding,
            b"traceparent" => Class::TraceParent,
            b"b3" => Class::B3,
            b"x-b3-traceid" => Class::B3TraceId,
            b"x-b3-spanid" => Class::B3SpanId,
            _ if redactor.looks_into(name) => Class::Secret,
            _ => Class::Plain,
        };
        if self.known.len() < CLASSES && name.len() <= 64 {
            self.known.insert(name.into(), class);
        }
        class
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

/// `Text/HTML; charset=utf-8` -> `Text/HTML` (RFC 9110 section 8.3.1).
pub(super) fn media_type(value: &[u8]) -> &[u8] {
    let end = memchr::memchr(b';', value).unwrap_or(value.len());
    value[..end].trim_ascii()
}

/// Trace and span ids from W3C Trace Context or B3 headers.
pub(super) fn push_trace(c: &mut ExchangeColumns, request: Option<&Message>, said: &Said) {
    let ids = request.zip(said.trace).and_then(|(request, (class, span))| {
        let value = request.span(span).trim_ascii();
        let is_hex = |text: &[u8]| text.iter().all(u8::is_ascii_hexdigit);
        let mut parts = value.split(|&b| b == b'-');
        let (trace, span_id) = match class {
            // version "-" trace-id "-" parent-id "-" trace-flags
            Class::TraceParent => (parts.nth(1)?, parts.next()),
            // {TraceId}-{SpanId}-{SamplingState}-{ParentSpanId}
            Class::B3 => (parts.next()?, parts.next()),
            _ => (value, said.span.map(|span| request.span(span).trim_ascii())),
        };
        let span_id = span_id.filter(|s| s.len() == 16 && is_hex(s));
        (matches!(trace.len(), 16 | 32) && is_hex(trace)).then_some((trace, span_id))
    });
    match ids {
        Some((trace, span)) => {
            c.trace_id.push_lower(trace);
            match span {
                Some(span) => c.span_id.push_lower(span),
                None => c.span_id.push_null(),
            }
        }
        None => {
            c.trace_id.push_null();
            c.span_id.push_null();
        }
    }
}

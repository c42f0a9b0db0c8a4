//! Heads of HTTP/1 messages (RFC 9112 sections 3, 4 and 5).

use std::mem::MaybeUninit;

use httparse::{Header as Parsed, ParserConfig, Status};

use crate::message::{Header, Message, notes};

/// What a head says about how to go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields {
    /// Content-Length, if there is exactly one value.
    pub length: Option<u64>,
    /// Transfer-Encoding whose last coding is chunked.
    pub chunked: bool,
    /// Upgrade header, as a span of the text.
    pub upgrade: Option<(u32, u32)>,
    /// Host header.
    pub host: Option<(u32, u32)>,
    /// Content-Type is text/event-stream.
    pub event_stream: bool,
    /// Content-Encoding is there and is not identity.
    pub coded: bool,
}

/// A request's head.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RequestHead {
    pub method: (u32, u32),
    pub target: (u32, u32),
    pub minor_version: u8,
    pub fields: Fields,
}

/// A response's head.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ResponseHead {
    pub status: u16,
    pub reason: (u32, u32),
    pub minor_version: u8,
    pub fields: Fields,
}

/// A head was read (with its length on the wire), is not whole yet, or is none.
pub(super) enum Read<T> {
    Head(T, usize),
    More,
    Invalid,
}

/// Headers on the stack; messages with more take the slow way.
const USUAL: usize = 64;

/// How many of `bytes` a head takes, if its end is there. `seen`: bytes that were searched before.
fn head_end(bytes: &[u8], seen: usize) -> Option<usize> {
    // Leading empty lines are not its end (RFC 9112 section 2.2).
    let lead = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    let mut at = seen.saturating_sub(3).max(lead);
    while let Some(found) = memchr::memchr(b'\n', &bytes[at..]) {
        let next = at + found + 1;
        match bytes.get(next..) {
            Some([b'\n', ..]) => return Some(next + 1),
            Some([b'\r', b'\n', ..]) => return Some(next + 2),
            _ => at = next,
        }
    }
    None
}

/// What real peers send beyond the letter of the RFC. `lenient` also leaves out headers that are none.
fn config(lenient: bool) -> ParserConfig {
    let mut config = ParserConfig::default();
    config
        .allow_spaces_after_header_name_in_responses(true)
        .allow_multiple_spaces_in_request_line_delimiters(true)
        .allow_multiple_spaces_in_response_status_delimiters(true)
        .ignore_invalid_headers_in_requests(lenient)
        .ignore_invalid_headers_in_responses(lenient);
    config
}

/// Where `part` is in `text`, which it must be a piece of.
#[inline]
fn span(text: &[u8], part: &[u8]) -> (u32, u32) {
    let start = part.as_ptr() as usize - text.as_ptr() as usize;
    (start as u32, (start + part.len()) as u32)
}

/// Copies the head into the message and notes what its headers say.
fn take_headers(head: &[u8], headers: &[Parsed<'_>], max_headers: usize, message: &mut Message) -> Fields {
    message.text.extend_from_slice(head);
    let kept = headers.len().min(max_headers);
    if kept < headers.len() {
        message.notes |= notes::HEADERS_CUT;
    }
    let mut fields = Fields::default();
    let mut has_length = false;
    for header in &headers[..kept] {
        let value = header.value;
        let at = span(head, value);
        message.headers.push(Header { name: Some(span(head, header.name.as_bytes())), value: Some(at) });
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        match header.name.len() {
            4 if is("host") => fields.host = fields.host.or(Some(at)),
            7 if is("upgrade") => fields.upgrade = Some(at),
            10 if is("user-agent") && is_prober(value) => message.notes |= notes::HEALTH,
            12 if is("content-type") => fields.event_stream = starts_with(value, b"text/event-stream"),
            14 if is("content-length") => {
                let repeated = std::mem::replace(&mut has_length, true);
                fields.length = length(value).filter(|new| !repeated || fields.length == Some(*new));
            }
            16 if is("content-encoding") => fields.coded = !value.eq_ignore_ascii_case(b"identity"),
            17 if is("transfer-encoding") => {
                let last = value.rsplit(|&b| b == b',').next().unwrap_or_default();
                fields.chunked = last.trim_ascii().eq_ignore_ascii_case(b"chunked");
            }
            _ => {}
        }
    }
    // Two lengths, or one that is none, is how requests are smuggled (RFC 9112 section 11.2).
    if has_length && (fields.chunked || fields.length.is_none()) {
        message.notes |= notes::MALFORMED;
    }
    fields
}

/// Lines that are no header, for the bytes in them, are not shown as one; that there are any is said.
fn note_left_out(head: &[u8], headers: usize, message: &mut Message) {
    let lead = head.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    // The start line and the empty line.
    if memchr::memchr_iter(b'\n', &head[lead..]).count() > headers + 2 {
        message.notes |= notes::MALFORMED;
    }
}

fn starts_with(value: &[u8], prefix: &[u8]) -> bool {
    value.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Health checkers that name themselves.
pub(in crate::protocol) fn is_prober(agent: &[u8]) -> bool {
    [&b"kube-probe/"[..], b"GoogleHC/", b"ELB-HealthChecker/", b"Consul Health Check"]
        .iter()
        .any(|prober| agent.starts_with(prober))
}

/// One value, or the same one several times (RFC 9112 section 6.3).
fn length(value: &[u8]) -> Option<u64> {
    let mut values = value.split(|&b| b == b',').map(|v| {
        let v = v.trim_ascii();
        (!v.is_empty() && v.len() <= 19 && v.iter().all(u8::is_ascii_digit))
            .then(|| v.iter().fold(0u64, |n, d| n * 10 + u64::from(d - b'0')))
    });
    let first = values.next()??;
    values.all(|v| v == Some(first)).then_some(first)
}

/// Makes one line of a header that was folded over several (obs-fold, RFC 9112 section 5.2), byte for byte as long.
fn unfold(head: &[u8]) -> Option<Vec<u8>> {
    let mut unfolded = None;
    for at in memchr::memchr_iter(b'\n', head) {
        if matches!(head.get(at + 1), Some(b' ' | b'\t')) {
            let copy = unfolded.get_or_insert_with(|| head.to_vec());
            copy[at] = b' ';
            if at > 0 && copy[at - 1] == b'\r' {
                copy[at - 1] = b' ';
            }
        }
    }
    unfolded
}

/// The same head with a request line that the parser takes: it wants the target to be text. The bytes as sent are put
/// back behind it.
fn with_plain_line(head: &[u8]) -> Vec<u8> {
    let mut copy = head.to_vec();
    let lead = head.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    for byte in copy[lead..].iter_mut().take_while(|b| **b != b'\n') {
        if !matches!(*byte, b' '..=b'~' | b'\r') {
            *byte = b'?';
        }
    }
    copy
}

/// Reads a request's head into `message`.
pub(super) fn request(bytes: &[u8], seen: usize, max_headers: usize, message: &mut Message) -> Read<RequestHead> {
    if seen > 0 && head_end(bytes, seen).is_none() {
        return Read::More;
    }
    let mut storage = [const { MaybeUninit::<Parsed<'_>>::uninit() }; USUAL];
    let mut parsed = httparse::Request::new(&mut []);
    let result = config(false).parse_request_with_uninit_headers(&mut parsed, bytes, &mut storage);
    if let Ok(Status::Complete(len)) = result {
        return finish_request(&bytes[..len], &parsed, len, max_headers, message);
    }
    if matches!(result, Ok(Status::Partial)) {
        return Read::More;
    }
    // Rare: more headers than usual, folded ones, or no head at all.
    let Some(len) = head_end(bytes, 0) else {
        return if plausible_request(bytes) == Some(false) { Read::Invalid } else { Read::More };
    };
    let unfolded = unfold(&bytes[..len]);
    let head = unfolded.as_deref().unwrap_or(&bytes[..len]);
    let stand_in = with_plain_line(head);
    let mut storage = vec![httparse::EMPTY_HEADER; memchr::memchr_iter(b'\n', head).count()];
    let mut parsed = httparse::Request::new(&mut storage);
    match config(true).parse_request(&mut parsed, &stand_in) {
        Ok(Status::Complete(_)) => {
            note_left_out(head, parsed.headers.len(), message);
            let read = finish_request(&stand_in, &parsed, len, max_headers, message);
            message.text.copy_from_slice(head);
            read
        }
        _ => Read::Invalid,
    }
}

fn finish_request(
    head: &[u8],
    parsed: &httparse::Request<'_, '_>,
    len: usize,
    max_headers: usize,
    message: &mut Message,
) -> Read<RequestHead> {
    let (Some(method), Some(target), Some(minor_version)) = (parsed.method, parsed.path, parsed.version) else {
        return Read::Invalid;
    };
    let fields = take_headers(head, parsed.headers, max_headers, message);
    message.head_bytes = len as u32;
    let (method, target) = (span(head, method.as_bytes()), span(head, target.as_bytes()));
    Read::Head(RequestHead { method, target, minor_version, fields }, len)
}

/// Reads a response's head into `message`.
pub(super) fn response(bytes: &[u8], seen: usize, max_headers: usize, message: &mut Message) -> Read<ResponseHead> {
    if seen > 0 && head_end(bytes, seen).is_none() {
        return Read::More;
    }
    let mut storage = [const { MaybeUninit::<Parsed<'_>>::uninit() }; USUAL];
    let mut parsed = httparse::Response::new(&mut []);
    let result = config(false).parse_response_with_uninit_headers(&mut parsed, bytes, &mut storage);
    if let Ok(Status::Complete(len)) = result {
        return finish_response(&bytes[..len], &parsed, len, max_headers, message);
    }
    if matches!(result, Ok(Status::Partial)) {
        return Read::More;
    }
    let Some(len) = head_end(bytes, 0) else {
        return if plausible_response(bytes) == Some(false) { Read::Invalid } else { Read::More };
    };
    let unfolded = unfold(&bytes[..len]);
    let head = unfolded.as_deref().unwrap_or(&bytes[..len]);
    let mut storage = vec![httparse::EMPTY_HEADER; memchr::memchr_iter(b'\n', head).count()];
    let mut parsed = httparse::Response::new(&mut storage);
    match config(true).parse_response(&mut parsed, head) {
        Ok(Status::Complete(_)) => {
            note_left_out(head, parsed.headers.len(), message);
            finish_response(head, &parsed, len, max_headers, message)
        }
        _ => Read::Invalid,
    }
}

fn finish_response(
    head: &[u8],
    parsed: &httparse::Response<'_, '_>,
    len: usize,
    max_headers: usize,
    message: &mut Message,
) -> Read<ResponseHead> {
    let (Some(status), Some(minor_version)) = (parsed.code, parsed.version) else { return Read::Invalid };
    let fields = take_headers(head, parsed.headers, max_headers, message);
    message.head_bytes = len as u32;
    // A reason that is not valid text is given as an empty one from elsewhere.
    let reason = parsed.reason.filter(|r| !r.is_empty()).map_or((0, 0), |r| span(head, r.as_bytes()));
    Read::Head(ResponseHead { status, reason, minor_version, fields }, len)
}

/// A head whose end was lost: what there is of it, up to the last whole line, ended here.
pub(super) fn without_end(bytes: &[u8]) -> Option<Vec<u8>> {
    let end = memchr::memrchr(b'\n', bytes)? + 1;
    let mut head = bytes[..end].to_vec();
    head.extend_from_slice(b"\r\n");
    Some(head)
}

/// Whether a request may begin here: a method, a target, `HTTP/1.`. `None`: too few bytes to tell.
pub(super) fn plausible_request(bytes: &[u8]) -> Option<bool> {
    // Empty lines before it are let pass (RFC 9112 section 2.2).
    let lead = bytes.iter().take(8).take_while(|b| matches!(b, b'\r' | b'\n')).count();
    let bytes = &bytes[lead..];
    let method = bytes.iter().take(24).take_while(|b| b.is_ascii_uppercase() || matches!(b, b'-' | b'_')).count();
    if method == bytes.len() {
        return None;
    }
    if !(3..=23).contains(&method) || bytes[method] != b' ' {
        return Some(false);
    }
    let rest = &bytes[method + 1..];
    let Some(line_end) = memchr::memchr2(b'\n', 0, rest) else {
        // No request line is that long, and it is text (other than the target's obs-text).
        let is_text = rest.iter().all(|&b| b >= b' ' || b == b'\r');
        let starts = rest.first().is_none_or(|&b| b == b'/' || b == b'*' || b.is_ascii_alphanumeric() || b == b'[');
        return if is_text && starts && rest.len() < 16_384 { None } else { Some(false) };
    };
    let line = rest[..line_end].trim_ascii_end();
    Some(line.len() > 9 && line[line.len() - 9..].starts_with(b" HTTP/1.") && line[line.len() - 1].is_ascii_digit())
}

/// Whether a response may begin here: `HTTP/1.x nnn`.
pub(super) fn plausible_response(bytes: &[u8]) -> Option<bool> {
    const START: &[u8] = b"HTTP/1.";
    let known = bytes.len().min(START.len());
    if bytes[..known] != START[..known] {
        return Some(false);
    }
    let rest = bytes.get(START.len()..).filter(|rest| rest.len() >= 5)?;
    Some(rest[0].is_ascii_digit() && rest[1] == b' ' && rest[2..5].iter().all(u8::is_ascii_digit))
}

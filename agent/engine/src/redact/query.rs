//! Secrets in URLs and forms: `name=value&name=value`, percent-encoded, perhaps with another URL, form or JSON document
//! in a value.

use memchr::{memchr, memchr2, memchr3, memmem};

use super::Rules;
use super::edit::Edit;
use super::text::Style;

/// Documents within values of documents that are looked into.
const NESTED: u32 = 3;
/// The user alone in front of a host is a token if it is as long as one.
const TOKEN: usize = 20;
/// Names longer than this are judged as they are written.
const NAME: usize = 256;

impl Rules {
    pub(super) fn target(&self, target: &[u8], out: &mut Vec<u8>) -> bool {
        let Some(first) = memchr3(b'?', b'#', b'@', target) else { return false };
        let mut edit = Edit::new(target, out);
        let path = if target[first] == b'@' { memchr2(b'?', b'#', target).unwrap_or(target.len()) } else { first };
        let authority = memmem::find(&target[..path], b"//").map(|at| at + 2);
        if let Some(from) = authority
            && let Some((start, end)) = password(&target[from..path])
        {
            let mark = self.mark(&percent_decode(&target[from + start..from + end]));
            edit.replace(from + start, from + end, &[mark.as_bytes()]);
        }
        self.parameters(&mut edit, path + 1, NESTED);
        edit.finish()
    }

    pub(super) fn form(&self, body: &[u8], out: &mut Vec<u8>) -> bool {
        let mut edit = Edit::new(body, out);
        self.parameters(&mut edit, 0, NESTED);
        edit.finish()
    }

    /// Replaces the values of secret parameters from `at` on.
    fn parameters(&self, edit: &mut Edit<'_>, mut at: usize, nested: u32) {
        let text = edit.text;
        let is_end = |b: &u8| matches!(b, b'&' | b'#' | b'?' | b';');
        while at < text.len() {
            let len = text[at..].iter().position(|b| *b == b'=' || is_end(b)).unwrap_or(text.len() - at);
            let end = at + len;
            let Some(name_and_sign) = text.get(at..=end).filter(|name| name.ends_with(b"=")) else {
                at = end + 1;
                continue;
            };
            at = end + 1;
            if self.is_secret_parameter(name_and_sign) {
                let end = memchr2(b'&', b'#', &text[at..]).map_or(text.len(), |n| at + n);
                if end > at {
                    let mark = self.mark(&percent_decode(text[at..end].trim_ascii_end()));
                    edit.replace(at, end, &[mark.as_bytes()]);
                }
                at = end + 1;
                continue;
            }
            let is_json = matches!(text.get(at), Some(b'{' | b'['));
            let end =
                text[at..].iter().position(|b| *b == b'&' || !is_json && is_end(b)).map_or(text.len(), |n| at + n);
            if nested > 0 {
                self.nested(edit, at, end, nested - 1);
            }
            at = end + 1;
        }
    }

    /// The name comes with its equals sign, which a few fragments of names end with.
    fn is_secret_parameter(&self, name: &[u8]) -> bool {
        if name.len() <= NAME && memchr(b'%', name).is_some() {
            // Once for the form, once more for names that were encoded twice.
            return self.names.is_secret_parameter(&percent_decode(&percent_decode(name)));
        }
        self.finder.may_find(name) && self.names.is_secret_parameter(name)
    }

    /// A document in a value: replaced by itself without its secrets.
    fn nested(&self, edit: &mut Edit<'_>, start: usize, end: usize, nested: u32) {
        let raw = &edit.text[start..end];
        let is_encoded = memchr(b'%', raw).is_some();
        if !is_encoded && !matches!(raw.first(), Some(b'{' | b'[')) {
            return;
        }
        let value = percent_decode(raw);
        let mut clean = Vec::new();
        let changed = if matches!(value.first(), Some(b'{' | b'[')) {
            self.text(&value, Style::Data, &mut clean)
        } else if memchr(b'=', &value).is_some() {
            let mut inner = Edit::new(&value, &mut clean);
            self.parameters(&mut inner, memchr(b'?', &value).map_or(0, |at| at + 1), nested);
            inner.finish()
        } else {
            self.text(&value, Style::Data, &mut clean)
        };
        if changed {
            let clean = if is_encoded { percent_encode(&clean) } else { clean };
            edit.replace(start, end, &[&clean]);
        }
    }
}

/// Where the password lies in an authority or what begins with one: `user:password@host`.
pub(super) fn password(text: &[u8]) -> Option<(usize, usize)> {
    let is_end = |b: &u8| *b <= b' ' || matches!(b, b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'\\');
    let authority = &text[..text.iter().position(is_end).unwrap_or(text.len())];
    let at = memchr::memrchr(b'@', authority);
    match (memchr(b':', &authority[..at.unwrap_or(authority.len())]), at) {
        (Some(colon), Some(at)) if colon + 1 < at => Some((colon + 1, at)),
        (None, Some(at)) if at >= TOKEN => Some((0, at)),
        // The text was cut in what is no port and no IPv6 address: the `@` may have followed.
        (Some(colon), None) if authority.len() == text.len() && !authority.starts_with(b"[") => {
            let is_port = authority[colon + 1..].iter().all(u8::is_ascii_digit);
            (!is_port).then_some((colon + 1, authority.len()))
        }
        _ => None,
    }
}

/// Whether a body without a helpful media type is a form: `name=value` in printable ASCII without what forms encode.
pub(super) fn looks_like_form(body: &[u8]) -> bool {
    let head = &body[..body.len().min(512)];
    let name = head.iter().take_while(|b| b.is_ascii_alphanumeric() || b"_-.%+*[]~".contains(b)).count();
    name > 0
        && head.get(name) == Some(&b'=')
        && head.iter().all(|b| matches!(b, b' '..=b'~') && !b"\"<>{}\\^`|".contains(b))
}

/// `%41` is "A", `+` is a blank; what is no escape stays.
pub(super) fn percent_decode(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let digit = |at: usize| text.get(at).and_then(|&b| (b as char).to_digit(16));
        match (text[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high << 4 | low) as u8);
                at += 2;
            }
            (b'+', ..) => decoded.push(b' '),
            (byte, ..) => decoded.push(byte),
        }
        at += 1;
    }
    decoded
}

/// Encodes what a value can't hold; marks stay readable.
fn percent_encode(text: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(text.len() * 2);
    for &byte in text {
        let in_mark = byte == b':' && encoded.ends_with(b"<redacted");
        if byte.is_ascii_alphanumeric() || b"-_.~<>".contains(&byte) || in_mark {
            encoded.push(byte);
        } else {
            let digit = |value: u8| b"0123456789ABCDEF"[value as usize];
            encoded.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    encoded
}

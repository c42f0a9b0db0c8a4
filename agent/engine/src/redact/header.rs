//! Secrets in headers. What helps to understand a call stays: schemes of credentials, names and attributes of cookies.

use memchr::memchr;

use super::Rules;
use super::edit::Edit;
use super::scheme::credentials;
use super::text::Style;

/// What a header's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A scheme and credentials.
    Credentials,
    /// Cookies of a request.
    Cookies,
    /// A cookie of a response, with its attributes.
    SetCookie,
    /// A URL or path.
    Target,
    /// Links in angle brackets, or protocols that may carry a token.
    Text,
    /// A secret as a whole.
    Secret,
}

/// Headers that hold URLs; a token in a URL is passed on in these.
const TARGETS: &[&str] = &[
    ":path",
    "content-location",
    "destination",
    "location",
    "origin-url",
    "referer",
    "x-envoy-original-path",
    "x-forwarded-uri",
    "x-original-uri",
    "x-original-url",
    "x-rewrite-url",
];

/// The Kubernetes API takes a bearer token as a WebSocket protocol of this prefix.
const WEBSOCKET_BEARER: &[u8] = b"base64url.bearer.authorization.k8s.io.";

impl Rules {
    /// How to look at values of this name; none: not at all.
    pub(super) fn header_kind(&self, name: &[u8]) -> Option<Kind> {
        let lower = name.to_ascii_lowercase();
        match &lower[..] {
            b"cookie" | b"cookie2" => Some(Kind::Cookies),
            b"set-cookie" | b"set-cookie2" => Some(Kind::SetCookie),
            b"link" | b"refresh" | b"sec-websocket-protocol" => Some(Kind::Text),
            _ if TARGETS.iter().any(|target| target.as_bytes() == lower) => Some(Kind::Target),
            _ if !self.names.is_secret(name) => None,
            _ if lower.ends_with(b"authorization") => Some(Kind::Credentials),
            _ => Some(Kind::Secret),
        }
    }

    pub(super) fn header(&self, kind: Kind, value: &[u8], out: &mut Vec<u8>) -> bool {
        let mut edit = Edit::new(value, out);
        match kind {
            Kind::Target => return self.target(value, out),
            Kind::Text if value.starts_with(WEBSOCKET_BEARER) => {
                let start = WEBSOCKET_BEARER.len();
                let end = memchr(b',', value).unwrap_or(value.len());
                self.secret(&mut edit, start, end);
            }
            Kind::Text => return self.text(value, Style::Data, out),
            Kind::Credentials => self.secret(&mut edit, credentials(value), value.len()),
            Kind::Secret => self.secret(&mut edit, 0, value.len()),
            Kind::Cookies => {
                for (start, end) in parts(value) {
                    self.cookie(&mut edit, start, end);
                }
            }
            Kind::SetCookie => {
                for (at, (start, end)) in parts(value).enumerate() {
                    if at == 0 || !is_attribute(&value[start..end]) {
                        self.cookie(&mut edit, start, end);
                    }
                }
            }
        }
        edit.finish()
    }

    fn secret(&self, edit: &mut Edit<'_>, start: usize, end: usize) {
        let value = edit.text[start..end].trim_ascii_end();
        if !value.is_empty() {
            edit.replace(start, start + value.len(), &[self.mark(value).as_bytes()]);
        }
    }

    /// The value of `name=value`, or all of it if there is no name.
    fn cookie(&self, edit: &mut Edit<'_>, start: usize, end: usize) {
        let part = &edit.text[start..end];
        let start = start + memchr(b'=', part).map_or(0, |at| at + 1);
        let value = edit.text[start..end].trim_ascii();
        let bare = value.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\"")).unwrap_or(value);
        if !bare.is_empty() {
            edit.replace(start, end, &[self.mark(bare).as_bytes()]);
        }
    }
}

/// Ranges of what semicolons separate, without blanks around it.
fn parts(value: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    value.split(|&b| b == b';').map(move |part| {
        let start = at + part.len() - part.trim_ascii_start().len();
        at += part.len() + 1;
        (start, start + part.trim_ascii().len())
    })
}

/// Whether a part of Set-Cookie is an attribute (RFC 6265 section 4.1) and nothing else: some servers join several
/// cookies by commas.
fn is_attribute(part: &[u8]) -> bool {
    let equals = memchr(b'=', part).unwrap_or(part.len());
    let (name, value) = (part[..equals].trim_ascii().to_ascii_lowercase(), part.get(equals + 1..).unwrap_or_default());
    let commas = value.iter().filter(|&&b| b == b',').count();
    match &name[..] {
        b"expires" => commas <= 1 && memchr(b'=', value).is_none(),
        b"domain" | b"path" | b"max-age" | b"samesite" | b"priority" | b"version" | b"comment" => commas == 0,
        b"secure" | b"httponly" | b"partitioned" | b"discard" => value.is_empty(),
        _ => false,
    }
}

//! Redaction: secrets become marks before anything leaves the engine.
//!
//! A secret is known by its name ([`names`]): of a header, a query or form parameter, a JSON field, a GraphQL argument,
//! an XML element or attribute, a part of a multipart form. Its value becomes `<redacted:HHHHHH>`, H from a keyed hash
//! of the value as its receiver would read it (unescaped, percent-decoded), so that equal secrets show the same mark
//! wherever they were. JSON web tokens and private keys are known by what they look like, too.
//!
//! Bodies are not parsed: nearly all of them hold no secret, and broken or cut ones must be searched as well. A
//! vectorised search finds where a name of a secret may be ([`find`]); what stands around it decides ([`text`]).

mod edit;
mod find;
mod header;
mod looks;
mod loose;
mod markup;
mod multipart;
mod names;
mod protobuf;
mod query;
mod quote;
mod schema;
mod scheme;
mod text;
mod wire;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::hash::Hasher;

use memchr::memmem;
use siphasher::sip::SipHasher24;

use find::Finder;
pub use header::Kind as HeaderKind;
use names::Names;
use schema::Schema;
use text::Style;

/// What stands for a secret: `<redacted:HHHHHH>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark([u8; 17]);

impl Mark {
    /// The text of the mark.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Finds secrets by name and replaces them. Every method that takes `out` appends the changed text to it and returns
/// true, or leaves it alone and returns false when nothing is to be changed.
#[derive(Debug)]
pub struct Redactor {
    rules: Option<Rules>,
}

/// What an enabled redactor knows.
#[derive(Debug)]
struct Rules {
    hasher: SipHasher24,
    names: Names,
    finder: Finder,
    schema: Schema,
}

impl Redactor {
    /// Marks by this key; `extra_names` hold secrets as well as the names that everybody knows.
    pub fn new(key: [u8; 16], extra_names: &[String]) -> Self {
        let names = Names::new(extra_names);
        let finder = Finder::new(extra_names);
        Self {
            rules: Some(Rules { hasher: SipHasher24::new_with_key(&key), names, finder, schema: Schema::default() }),
        }
    }

    /// Changes nothing.
    pub fn disabled() -> Self {
        Self { rules: None }
    }

    /// Whether it changes anything.
    pub fn is_enabled(&self) -> bool {
        self.rules.is_some()
    }

    /// Whether a header, field or parameter of this name holds a secret.
    pub fn is_secret(&self, name: &[u8]) -> bool {
        self.rules.as_ref().is_some_and(|rules| rules.names.is_secret(name))
    }

    /// How to look at values of headers of this name; none: not at all. Remember the answer by name, and ask
    /// [`Self::header_value`].
    pub fn header_kind(&self, name: &[u8]) -> Option<HeaderKind> {
        self.rules.as_ref().and_then(|rules| rules.header_kind(name))
    }

    /// The value of a header of that kind. Schemes of credentials and names of cookies stay.
    pub fn header_value(&self, kind: HeaderKind, value: &[u8], out: &mut Vec<u8>) -> bool {
        self.rules.as_ref().is_some_and(|rules| rules.header(kind, value, out))
    }

    /// The mark for a value that is known to be secret.
    pub fn value(&self, value: &[u8]) -> Mark {
        match &self.rules {
            Some(rules) => rules.mark(value),
            None => Mark(*b"<redacted:000000>"),
        }
    }

    /// The value of a header of that name.
    pub fn header(&self, name: &[u8], value: &[u8], out: &mut Vec<u8>) -> bool {
        self.header_kind(name).is_some_and(|kind| self.header_value(kind, value, out))
    }

    /// A request target or a URL: its parameters and the user in it.
    pub fn target(&self, target: &[u8], out: &mut Vec<u8>) -> bool {
        self.rules.as_ref().is_some_and(|rules| rules.target(target, out))
    }

    /// A body, content coding removed, whole or cut anywhere. The media type (without parameters) is a hint only.
    pub fn body(&self, media_type: &[u8], body: &[u8], out: &mut Vec<u8>) -> bool {
        self.rules.as_ref().is_some_and(|rules| rules.body(media_type, body, out))
    }

    /// Takes the names of fields from a set of descriptors of Protocol Buffers.
    pub fn know(&mut self, set: &[u8]) {
        if let Some(rules) = &mut self.rules {
            rules.schema.add_set(set, &rules.names);
        }
    }

    /// A message of the gRPC method of this path, whole or cut. What a server tells of its own types (reflection) is
    /// remembered.
    pub fn grpc(&mut self, method: &[u8], request: bool, body: &[u8], out: &mut Vec<u8>) -> bool {
        let Some(rules) = &mut self.rules else { return false };
        if !request && method.starts_with(b"/grpc.reflection.") {
            rules.schema.add_reflection(body, &rules.names);
            return false; // names of types and fields only
        }
        let start = body.trim_ascii();
        let is_json = matches!((start.first(), start.last()), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')));
        if is_json && std::str::from_utf8(body).is_ok() {
            return rules.text(body, Style::Data, out);
        }
        let name = rules.schema.of_method(method, request);
        rules.protobuf(&rules.schema, name, body, out)
    }

    /// JSON, or any other text: a message of a stream, an event.
    pub fn json(&self, text: &[u8], out: &mut Vec<u8>) -> bool {
        self.rules.as_ref().is_some_and(|rules| rules.text(text, Style::Data, out))
    }
}

impl Rules {
    /// The mark of a value; a mark stays itself, so that redacting twice changes nothing.
    fn mark(&self, value: &[u8]) -> Mark {
        if let Ok(mark) = <[u8; 17]>::try_from(value)
            && mark.starts_with(b"<redacted:")
            && mark[10..16].iter().all(u8::is_ascii_hexdigit)
        {
            return Mark(mark);
        }
        let mut hasher = self.hasher;
        hasher.write(value);
        let hash = hasher.finish();
        let mut mark = *b"<redacted:000000>";
        for (at, digit) in mark[10..16].iter_mut().enumerate() {
            *digit = b"0123456789abcdef"[(hash >> (4 * at) & 15) as usize];
        }
        Mark(mark)
    }

    fn body(&self, media_type: &[u8], body: &[u8], out: &mut Vec<u8>) -> bool {
        if media_type.eq_ignore_ascii_case(b"application/json") && body.first() == Some(&b'{') {
            return self.text(body, Style::Data, out);
        }
        let is = |word: &str| memmem::find(&media_type.to_ascii_lowercase(), word.as_bytes()).is_some();
        let start = body.trim_ascii_start();
        match start.first() {
            None => false,
            Some(b'{' | b'[') => self.text(body, Style::Data, out),
            Some(b'<') => self.text(body, Style::Markup, out),
            // Most bodies of a cluster are these: looking for the other kinds costs more than the scan itself.
            _ if media_type.starts_with(b"application/grpc") => self.text(body, Style::Data, out),
            Some(b'-') if is("multipart/") || memmem::find(&start[..start.len().min(512)], b"form-data").is_some() => {
                self.multipart(body, out)
            }
            _ if is("form-urlencoded") || query::looks_like_form(body) => self.form(body, out),
            _ if ["image/", "video/", "audio/", "font/"].iter().any(|kind| is(kind)) => false,
            _ if is("script") || is("text/css") => self.text(body, Style::Script, out),
            _ => self.text(body, Style::Data, out),
        }
    }
}

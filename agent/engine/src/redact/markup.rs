//! Elements and attributes of XML and HTML.

use memchr::{memchr, memmem};

use super::text::{NAME, Scan};

/// A tag longer than this is none.
const TAG: usize = 1024;

impl Scan<'_> {
    /// Replaces the content of an XML element; false if this is none.
    pub(super) fn element(&mut self, start: usize, end: usize, name: &[u8]) -> bool {
        let prefix = match self.byte(start - 1) {
            Some(b':') => {
                let lowest = (start - 1).saturating_sub(NAME);
                let prefix = self.text[lowest..start - 1].iter().rev();
                1 + prefix.take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')).count()
            }
            _ => 0,
        };
        let tag = start - prefix;
        let behind = self.byte(end);
        if tag == 0 || self.text[tag - 1] != b'<' || !behind.is_some_and(|b| b == b'>' || b.is_ascii_whitespace()) {
            return false;
        }
        let highest = self.text.len().min(end + TAG);
        let Some(close) = memchr(b'>', &self.text[end..highest]).map(|n| end + n) else { return false };
        if self.text[close - 1] == b'/' || !self.rules.names.is_secret(name) {
            return false;
        }
        let mut content = close + 1;
        let mut closing = b"</".to_vec();
        closing.extend_from_slice(&self.text[tag..end]);
        let mut stop = memmem::find(&self.text[content..], &closing).map_or(self.text.len(), |n| content + n);
        if self.text[content..stop].starts_with(b"<![CDATA[") && self.text[content..stop].ends_with(b"]]>") {
            (content, stop) = (content + 9, stop - 3);
        }
        if !self.text[content..stop].trim_ascii().is_empty() {
            let mark = self.rules.mark(self.text[content..stop].trim_ascii());
            let text = mark.as_bytes();
            self.edit.replace(content, stop, &[b"&lt;", &text[1..text.len() - 1], b"&gt;"]);
        }
        self.done = stop;
        true
    }

    /// `name="password" value="..."`, as in forms of HTML and settings in XML.
    pub(super) fn attribute_pair(&mut self, start: usize, end: usize, name: &[u8]) {
        let before = &self.text[..start - 1];
        let is_name = |word: &str| before.len() > word.len() && before.ends_with(word.as_bytes());
        if !(is_name("name=") || is_name("key=")) || !self.rules.names.is_secret(name) {
            return;
        }
        let rest = &self.text[end..self.text.len().min(end + TAG)];
        let rest = &rest[..memchr(b'>', rest).unwrap_or(rest.len())];
        if let Some(found) = memmem::find(rest, b" value=") {
            let start = end + found + b" value=".len();
            self.quoted(start, name);
        }
    }
}

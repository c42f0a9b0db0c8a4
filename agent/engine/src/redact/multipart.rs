//! Secrets in multipart forms (RFC 7578): parts by their name, and the text in the others.

use memchr::memmem;

use super::Rules;
use super::edit::Edit;
use super::text::Style;

/// A delimiter line is at most this long (RFC 2046 section 5.1.1: 70 bytes and the two dashes).
const DELIMITER: usize = 72;
/// The headers of one part.
const HEAD: usize = 4096;

impl Rules {
    /// The body begins with its first delimiter. What is no multipart body is taken as text.
    pub(super) fn multipart(&self, body: &[u8], out: &mut Vec<u8>) -> bool {
        let line = body.iter().position(|&b| b == b'\n').unwrap_or(body.len());
        let delimiter = body[..line].trim_ascii_end();
        if delimiter.len() > DELIMITER || !body.starts_with(b"--") {
            return self.text(body, Style::Data, out);
        }
        let mut edit = Edit::new(body, out);
        let next_delimiter = memmem::Finder::new(delimiter);
        let mut start = line + 1;
        while start < body.len() {
            let end = next_delimiter.find(&body[start..]).map_or(body.len(), |n| start + n);
            self.part(&mut edit, start, end);
            start = end + delimiter.len();
        }
        edit.finish()
    }

    /// One part: headers, an empty line, content, a line break.
    fn part(&self, edit: &mut Edit<'_>, start: usize, end: usize) {
        let part = &edit.text[start..end];
        let head = &part[..part.len().min(HEAD)];
        let (content, head) = match (memmem::find(head, b"\r\n\r\n"), memmem::find(head, b"\n\n")) {
            (Some(crlf), _) => (crlf + 4, &head[..crlf]),
            (None, Some(lf)) => (lf + 2, &head[..lf]),
            (None, None) => (0, &[][..]),
        };
        let text = part[content..].trim_ascii_end();
        if text.is_empty() {
            return;
        }
        let content = start + content;
        if name(head).is_some_and(|name| self.names.is_secret_parameter(name)) {
            edit.replace(content, content + text.len(), &[self.mark(text).as_bytes()]);
            return;
        }
        let mut clean = Vec::new();
        if self.text(text, if text.starts_with(b"<") { Style::Markup } else { Style::Data }, &mut clean) {
            edit.replace(content, content + text.len(), &[&clean]);
        }
    }
}

/// The name in Content-Disposition, in quotes or not.
fn name(head: &[u8]) -> Option<&[u8]> {
    let at = memmem::find_iter(head, b"name=").find(|&at| at > 0 && matches!(head[at - 1], b' ' | b';' | b'\t'))?;
    let value = &head[at + b"name=".len()..];
    let end = match value.first() {
        Some(b'"') => return value[1..].split(|&b| b == b'"').next(),
        _ => value.iter().position(|b| matches!(b, b';' | b'\r' | b'\n')),
    };
    Some(&value[..end.unwrap_or(value.len())])
}

//! Secrets that are known by what they look like, whatever their name.

use memchr::memmem;

use super::query;
use super::text::{NAME, Scan};

impl Scan<'_> {
    /// The user and password of a URL.
    pub(super) fn url(&mut self, at: usize) {
        let start = at + if self.byte(at + 1) == Some(b'/') { 3 } else { 5 };
        let highest = self.text.len().min(start + NAME);
        if let Some((from, to)) = query::password(&self.text[start.min(highest)..highest]) {
            let (start, end) = (start + from, start + to);
            let mark = self.rules.mark(&query::percent_decode(&self.text[start..end]));
            self.put(start, end, &mark);
        }
    }

    /// A JSON web token, known by its looks: base64 of `{"`, a dot, more base64.
    pub(super) fn jwt(&mut self, at: usize) {
        let is_base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if !self.text[at..].starts_with(b"eyJ") || at > 0 && is_base64(self.text[at - 1]) {
            return;
        }
        let run = |from: usize| self.text[from..].iter().take_while(|&&b| is_base64(b)).count();
        let head = run(at);
        if head < 10 || self.byte(at + head) != Some(b'.') {
            self.done = at + head;
            return;
        }
        let claims = run(at + head + 1);
        let mut end = at + head + 1 + claims;
        if claims < 4 && end < self.text.len() {
            return;
        }
        while self.byte(end) == Some(b'.') {
            end += 1 + run(end + 1);
        }
        let mark = self.rules.mark(&self.text[at..end]);
        self.put(at, end, &mark);
    }

    /// A private key in PEM.
    pub(super) fn pem(&mut self, at: usize) {
        let text = &self.text[at..];
        let Some(label) = memmem::find(&text[..text.len().min(64)], b"PRIVATE KEY-----") else { return };
        if !text.starts_with(b"-----BEGIN") {
            return;
        }
        let start = label + b"PRIVATE KEY-----".len();
        let len = memmem::find(&text[start..], b"-----END").unwrap_or(text.len() - start);
        let mark = self.rules.mark(&text[start..start + len]);
        self.put(at + start, at + start + len, &mark);
    }
}

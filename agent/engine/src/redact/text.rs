//! Secrets in a text: JSON above all, and what stands in its strings or instead of it: GraphQL, XML, URLs, settings.
//!
//! Nothing here depends on the text being well-formed. A name is judged by what stands around it:
//!
//! | | the value |
//! |---|---|
//! | `"name" :` | JSON: a string, number, word, object or array |
//! | `"name": "password", "value" :` | the same |
//! | `name :` | a string, number, object or list (GraphQL); at the start of a line all of it (YAML, headers) |
//! | `name =` | a string (XML attribute), or up to the next separator (URL, connection string) |
//! | `<name>` | up to the closing tag |
//!
//! Every byte is passed a bounded number of times, so that a hostile text costs no more than a long one.

use std::borrow::Cow;

use memchr::{memchr, memmem, memrchr};

use super::edit::Edit;
use super::find::Hit;
use super::quote::{self, bare_end, container_end, hex4, level, opening, skip_space, slashes, string_end, unescape};
use super::{Mark, Rules, scheme};

/// Names longer than this are not looked at as a whole: bounds the way back to their beginning.
pub(super) const NAME: usize = 256;

/// What kind of text it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Data of any format.
    Data,
    /// XML or HTML: marks are escaped.
    Markup,
    /// A program: only quoted names count, for assignments are no data.
    Script,
}

/// The quote behind a hit.
#[derive(Clone, Copy)]
pub(super) struct Quote {
    at: usize,
    pub level: u32,
    /// Where the value begins, if it closes a name.
    value: Option<usize>,
}

/// A pass over a text.
pub(super) struct Scan<'a> {
    pub rules: &'a Rules,
    pub edit: Edit<'a>,
    pub text: &'a [u8],
    pub style: Style,
    /// Hits before this are dealt with.
    pub done: usize,
    /// The quote that was found last.
    quote: Option<Quote>,
    /// Behind the unquoted name that was judged last.
    pub name_end: usize,
    /// The last string that was judged as the name of a pair.
    pair: usize,
    /// Names of GraphQL variables that were given to a secret argument.
    pub variables: Vec<Vec<u8>>,
}

impl Rules {
    /// Replaces the secrets in a text.
    pub(super) fn text(&self, text: &[u8], style: Style, out: &mut Vec<u8>) -> bool {
        let from = out.len();
        let mut scan = Scan::new(self, text, style, out);
        self.finder.each(text, |at, hit| scan.hit(at, hit));
        let variables = std::mem::take(&mut scan.variables);
        let changed = scan.edit.finish();
        if variables.is_empty() {
            return changed;
        }
        let once = if changed { out.split_off(from) } else { text.to_vec() };
        let mut scan = Scan::new(self, &once, style, out);
        scan.give_variables(&variables);
        if scan.edit.finish() {
            return true;
        }
        if changed {
            out.extend_from_slice(&once);
        }
        changed
    }
}

impl<'a> Scan<'a> {
    fn new(rules: &'a Rules, text: &'a [u8], style: Style, out: &'a mut Vec<u8>) -> Self {
        Self {
            rules,
            edit: Edit::new(text, out),
            text,
            style,
            done: 0,
            quote: None,
            name_end: 0,
            pair: usize::MAX,
            variables: Vec::new(),
        }
    }

    pub fn byte(&self, at: usize) -> Option<u8> {
        self.text.get(at).copied()
    }

    fn hit(&mut self, at: usize, hit: Hit) {
        if at < self.done {
            return;
        }
        match hit {
            Hit::Jwt => return self.jwt(at),
            Hit::Pem => return self.pem(at),
            Hit::Url => return self.url(at),
            Hit::Escape if !self.escapes_name(at) => return,
            Hit::Escape | Hit::Name => {}
        }
        let quote = self.quote_behind(at);
        if let Some(value) = quote.value {
            let name = self.name_in_quotes(at, quote);
            self.done = quote.at + 1;
            if self.rules.names.is_secret(&name) {
                self.json_value(value, quote.level, &name);
            }
        } else if hit == Hit::Name && !self.pair(at, quote) {
            self.unquoted(at);
        }
    }

    /// Whether the escape at `at` stands for a character of a name; nobody who means no harm writes those so.
    fn escapes_name(&self, at: usize) -> bool {
        let code = hex4(self.text, at + 2).and_then(char::from_u32);
        code.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    }

    /// The next quote; a name ends there if a colon follows.
    pub fn quote_behind(&mut self, at: usize) -> Quote {
        // The opening quote may be part of the hit.
        let at = if self.byte(at) == Some(b'"') { at + 1 } else { at };
        if let Some(quote) = self.quote
            && quote.at >= at
        {
            return quote;
        }
        let quote = match memchr(b'"', &self.text[at..]) {
            None => Quote { at: usize::MAX, level: 0, value: None },
            Some(found) => {
                let quote = at + found;
                let colon = skip_space(self.text, quote + 1);
                let value = (self.byte(colon) == Some(b':')).then(|| skip_space(self.text, colon + 1));
                Quote { at: quote, level: level(self.text, self.done.min(quote), quote), value }
            }
        };
        self.quote = Some(quote);
        quote
    }

    /// Where the quoted text begins that `at` lies in.
    fn begin_of_quoted(&self, at: usize, level: u32) -> usize {
        let lowest = self.done.max(at.saturating_sub(NAME));
        let mut to = if self.byte(at) == Some(b'"') { at + 1 } else { at };
        while let Some(found) = memrchr(b'"', &self.text[lowest..to]) {
            let quote = lowest + found;
            if quote::level(self.text, lowest, quote) <= level {
                return quote + 1;
            }
            to = quote;
        }
        lowest
    }

    fn name_in_quotes(&self, at: usize, quote: Quote) -> Cow<'a, [u8]> {
        let start = self.begin_of_quoted(at, quote.level);
        let end = quote.at.saturating_sub(slashes(quote.level)).max(start);
        read(&self.text[start..end], quote.level)
    }

    /// Replaces the JSON value that begins at `at`; null and the empty string hide nothing.
    pub fn json_value(&mut self, at: usize, level: u32, name: &[u8]) {
        match self.byte(at) {
            None => {}
            Some(b'"' | b'\\') => {
                if let Some((inner, start)) = opening(self.text, at)
                    && inner >= level
                {
                    self.string(start, inner, name);
                }
            }
            Some(b'{' | b'[') => self.bare(at, container_end(self.text, at, level), level),
            Some(_) => {
                let end = bare_end(self.text, at);
                if end > at && &self.text[at..end] != b"null" {
                    self.bare(at, end, level);
                }
            }
        }
    }

    /// Replaces the content of a string.
    pub fn string(&mut self, start: usize, level: u32, name: &[u8]) {
        let end = string_end(self.text, start, level);
        self.done = end.closed.unwrap_or(end.content);
        let start = start + scheme::of_field(name, &self.text[start..end.content]);
        if start < end.content {
            let mark = self.rules.mark(&read(&self.text[start..end.content], level));
            self.put(start, end.content, &mark);
        }
    }

    /// Replaces a value that is no string by one.
    pub fn bare(&mut self, start: usize, end: usize, level: u32) {
        let mark = self.rules.mark(&self.text[start..end]);
        const QUOTE: &[u8] = br#"\\\\\\\"#;
        let slashes = QUOTE.get(..slashes(level.min(8))).unwrap_or(QUOTE);
        self.edit.replace(start, end, &[slashes, b"\"", mark.as_bytes(), slashes, b"\""]);
        self.done = end;
    }

    /// Replaces a range by a mark as it is written in this style.
    pub fn put(&mut self, start: usize, end: usize, mark: &Mark) {
        let text = mark.as_bytes();
        if self.style == Style::Markup {
            self.edit.replace(start, end, &[b"&lt;", &text[1..text.len() - 1], b"&gt;"]);
        } else {
            self.edit.replace(start, end, &[text]);
        }
        self.done = self.done.max(end);
    }

    /// `"name": "password", "value": ...`: whether the hit lay in such a pair that holds a secret.
    fn pair(&mut self, at: usize, quote: Quote) -> bool {
        if quote.at == usize::MAX || self.pair == quote.at {
            return false;
        }
        self.pair = quote.at;
        let comma = skip_space(self.text, quote.at + 1);
        if self.byte(comma) != Some(b',') {
            return false;
        }
        let value = match opening(self.text, skip_space(self.text, comma + 1)) {
            Some((level, key)) if level == quote.level => key,
            _ => return false,
        };
        let behind = value + b"value".len();
        let is_value = self.text.get(value..behind).is_some_and(|key| key.eq_ignore_ascii_case(b"value"));
        let closing = opening(self.text, behind).filter(|&(level, _)| is_value && level == quote.level);
        let Some((level, end)) = closing else { return false };
        let colon = skip_space(self.text, end);
        if self.byte(colon) != Some(b':') {
            return false;
        }
        let start = self.begin_of_quoted(at, level);
        let before = self.text[..start.saturating_sub(1 + slashes(level))].trim_ascii_end();
        let before = before.strip_suffix(b":").unwrap_or_default().trim_ascii_end();
        let before = before.strip_suffix(b"\"").unwrap_or_default();
        let before = &before[..before.len().saturating_sub(slashes(level))];
        let word = &before[before.len() - before.len().min(4)..];
        if !(word.eq_ignore_ascii_case(b"name") || word[word.len().min(1)..].eq_ignore_ascii_case(b"key")) {
            return false;
        }
        let name = self.name_in_quotes(at, quote);
        if !self.rules.names.is_secret(&name) {
            return false;
        }
        self.json_value(skip_space(self.text, colon + 1), level, &name);
        true
    }

    /// Replaces the values of JSON fields of these names: GraphQL variables whose argument was secret.
    fn give_variables(&mut self, names: &[Vec<u8>]) {
        let mut places: Vec<usize> = names.iter().flat_map(|name| memmem::find_iter(self.text, name)).collect();
        places.sort_unstable();
        for at in places {
            if at < self.done {
                continue;
            }
            let quote = self.quote_behind(at);
            if let Some(value) = quote.value {
                let name = self.name_in_quotes(at, quote);
                if names.iter().any(|known| **known == *name) {
                    self.json_value(value, quote.level, &name);
                }
            }
        }
    }
}

/// The text of a string of this level.
fn read(raw: &[u8], level: u32) -> Cow<'_, [u8]> {
    match memchr(b'\\', raw) {
        None => Cow::Borrowed(raw),
        Some(_) => Cow::Owned(unescape(raw, level)),
    }
}

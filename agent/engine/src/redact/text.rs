//! Secrets in a text: JSON above all, and what stands in its strings or instead of it: GraphQL, XML, URLs, settings.
//!
//! Nothing here depends on the text being well-formed. A name is judged by what stands around it:
//!
//! | | the value |
//! |---|---|
//! | `"name" :` | JSON: a string, number, word, object or array |
//! | `"name": "password", "value" :` | the same |
//! | `name :` | a string, number, object or list (GraphQL, JavaScript); at the start of a line all of it (YAML, headers) |
//! | `name =` | a string (XML attribute), or up to the next separator (URL, connection string) |
//! | `<name>` | up to the closing tag |
//!
//! Every byte is passed a bounded number of times, so that a hostile text costs no more than a long one.

use std::borrow::Cow;

use memchr::{memchr, memmem, memrchr};

use super::edit::Edit;
use super::find::Hit;
use super::quote::{self, bare_end, container_end, hex4, level, opening, skip_space, slashes, string_end, unescape};
use super::{Mark, Rules, header, query};

/// Names longer than this are not looked at as a whole: bounds the way back to their beginning.
const NAME: usize = 256;
/// A tag longer than this is none.
const TAG: usize = 1024;
/// GraphQL variables that are remembered because they were given to a secret argument.
const VARIABLES: usize = 8;

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
struct Quote {
    at: usize,
    level: u32,
    /// Where the value begins, if it closes a name.
    value: Option<usize>,
}

struct Scan<'a> {
    rules: &'a Rules,
    edit: Edit<'a>,
    text: &'a [u8],
    style: Style,
    /// Hits before this are dealt with.
    done: usize,
    /// The quote that was found last.
    quote: Option<Quote>,
    /// Behind the unquoted name that was judged last.
    name_end: usize,
    /// The last string that was judged as the name of a pair.
    pair: usize,
    variables: Vec<Vec<u8>>,
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

    fn byte(&self, at: usize) -> Option<u8> {
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
    fn quote_behind(&mut self, at: usize) -> Quote {
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
    fn json_value(&mut self, at: usize, level: u32, name: &[u8]) {
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
    fn string(&mut self, start: usize, level: u32, name: &[u8]) {
        let end = string_end(self.text, start, level);
        self.done = end.closed.unwrap_or(end.content);
        let start = start + header::scheme(name, &self.text[start..end.content]);
        if start < end.content {
            let mark = self.rules.mark(&read(&self.text[start..end.content], level));
            self.put(start, end.content, &mark);
        }
    }

    /// Replaces a value that is no string by one.
    fn bare(&mut self, start: usize, end: usize, level: u32) {
        let mark = self.rules.mark(&self.text[start..end]);
        const QUOTE: &[u8] = br#"\\\\\\\"#;
        let slashes = QUOTE.get(..slashes(level.min(8))).unwrap_or(QUOTE);
        self.edit.replace(start, end, &[slashes, b"\"", mark.as_bytes(), slashes, b"\""]);
        self.done = end;
    }

    /// Replaces a range by a mark as it is written in this style.
    fn put(&mut self, start: usize, end: usize, mark: &Mark) {
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

    /// A name without quotes around it.
    fn unquoted(&mut self, at: usize) {
        if at < self.name_end || self.style == Style::Script {
            return;
        }
        let is_name = |b: &u8| b.is_ascii_alphanumeric() || *b >= 0x80 || matches!(b, b'_' | b'-' | b'.' | b'[' | b']');
        let lowest = self.done.max(at.saturating_sub(NAME));
        let highest = self.text.len().min(at + NAME);
        let mut start = at - self.text[lowest..at].iter().rev().take_while(|b| is_name(b)).count();
        let end = at + self.text[at..highest].iter().take_while(|b| is_name(b)).count();
        self.name_end = end;
        let mut before = start.checked_sub(1).and_then(|at| self.byte(at));
        if before == Some(b'\\') {
            // What looks like the beginning of the name is the rest of an escape: "\u0026token", "\ntoken".
            if let (Some(b'u'), Some(code)) = (self.byte(start), hex4(self.text, start + 1)) {
                before = u8::try_from(code).ok();
                start += 5;
            } else {
                before = Some(b' ');
                start += 1;
            }
        }
        if start >= end {
            return;
        }
        let name = &self.text[start..end];
        if before == Some(b'<') || before == Some(b':') {
            if self.element(start, end, name) {
                return;
            }
        } else if self.style == Style::Markup && matches!(before, Some(b'"' | b'\'')) {
            return self.attribute_pair(start, end, name);
        }
        let sign = skip_space(self.text, end + usize::from(self.byte(end) == Some(b'\'')));
        match (self.byte(sign), self.byte(sign + 1)) {
            (Some(b'='), Some(b'=' | b'>')) | (Some(b':'), Some(b':' | b'/')) => {}
            (Some(b'='), _) => {
                let is_parameter = matches!(before, Some(b'?' | b'&' | b';'));
                if self.rules.names.is_secret(name) || is_parameter && self.rules.names.is_secret_parameter(name) {
                    self.assigned(sign + 1, name);
                }
            }
            (Some(b':'), _) if self.rules.names.is_secret(name) => self.labelled(start, sign + 1, name),
            _ => {}
        }
    }

    /// Replaces what stands behind `name =`.
    fn assigned(&mut self, at: usize, name: &[u8]) {
        let blanks = self.text[at..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let start = at + blanks;
        if self.quoted(start, name) {
            return;
        }
        let is_end = |b: u8| b <= b' ' || matches!(b, b'&' | b'"' | b'\'' | b'<' | b'>' | b'#' | b'\\' | 0x7f);
        let len = self.text[start..].iter().position(|&b| is_end(b)).unwrap_or(self.text.len() - start);
        if len > 0 {
            let mark = self.rules.mark(&query::percent_decode(&self.text[start..start + len]));
            self.put(start, start + len, &mark);
        }
    }

    /// Replaces what stands behind `name :`.
    fn labelled(&mut self, name_start: usize, at: usize, name: &[u8]) {
        let start = skip_space(self.text, at);
        if self.quoted(start, name) {
            return;
        }
        match self.byte(start) {
            Some(b'$') => {
                let len =
                    self.text[start + 1..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
                if self.variables.len() < VARIABLES && (1..=NAME).contains(&len) {
                    self.variables.push(self.text[start + 1..start + 1 + len].to_vec());
                }
            }
            Some(b'{' | b'[') => {
                let level = self.quote_behind(start).level;
                let end = container_end(self.text, start, level);
                let mark = self.rules.mark(&self.text[start..end]);
                self.put(start, end, &mark);
            }
            Some(b'-' | b'0'..=b'9') => {
                let end = bare_end(self.text, start);
                let mark = self.rules.mark(&self.text[start..end]);
                self.put(start, end, &mark);
            }
            _ => self.line(name_start, at, name),
        }
    }

    /// Replaces the quoted text that begins at `at`; false if there is none.
    fn quoted(&mut self, at: usize, name: &[u8]) -> bool {
        if self.byte(at) == Some(b'\'') {
            let start = at + 1;
            let len = memchr(b'\'', &self.text[start..]).unwrap_or(self.text.len() - start);
            if len > 0 {
                let mark = self.rules.mark(&self.text[start..start + len]);
                self.put(start, start + len, &mark);
            }
            return true;
        }
        let Some((level, start)) = opening(self.text, at) else { return false };
        // A quote that something follows which can't be the text of a secret closes the string that the name is in.
        let next = self.byte(skip_space(self.text, start));
        if self.style != Style::Markup && matches!(next, None | Some(b',' | b'}' | b']' | b':')) {
            return true;
        }
        // A block string of GraphQL: three quotes.
        let block = opening(self.text, start).filter(|quote| quote.0 == level).map(|quote| quote.1);
        let block = block.and_then(|second| opening(self.text, second)).filter(|quote| quote.0 == level);
        if let Some((_, start)) = block {
            let fence = &self.text[at..start];
            let len = memmem::find(&self.text[start..], fence).unwrap_or(self.text.len() - start);
            let mark = self.rules.mark(&self.text[start..start + len]);
            self.put(start, start + len, &mark);
            self.done = self.text.len().min(start + len + fence.len());
        } else {
            self.string(start, level, name);
        }
        true
    }

    /// Replaces the rest of the line, if the name is the first of it; with the lines of a YAML block below it.
    fn line(&mut self, name_start: usize, at: usize, name: &[u8]) {
        let lead =
            self.text[..name_start].iter().rev().take(TAG).take_while(|b| matches!(b, b' ' | b'\t' | b'-' | b'\''));
        let lead = lead.count();
        if self.style != Style::Data || name_start > lead && self.text[name_start - lead - 1] != b'\n' {
            return;
        }
        let end_of_line = |from: usize| memchr(b'\n', &self.text[from..]).map_or(self.text.len(), |n| from + n);
        let mut end = end_of_line(at);
        let start = at + self.text[at..end].iter().take_while(|b| b.is_ascii_whitespace()).count();
        let start = start + header::scheme(name, &self.text[start..end]);
        if matches!(self.text[start..end].trim_ascii(), [b'|' | b'>', rest @ ..] if rest.len() < 3) {
            while end < self.text.len() {
                let next = end_of_line(end + 1);
                let line = &self.text[end + 1..next];
                let indent = line.iter().take_while(|b| **b == b' ').count();
                if indent <= lead && !line.trim_ascii().is_empty() {
                    break;
                }
                end = next;
            }
        }
        let value = self.text[start..end].trim_ascii_end();
        if !value.is_empty() {
            let mark = self.rules.mark(value);
            self.put(start, start + value.len(), &mark);
        }
    }

    /// Replaces the content of an XML element; false if this is none.
    fn element(&mut self, start: usize, end: usize, name: &[u8]) -> bool {
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
    fn attribute_pair(&mut self, start: usize, end: usize, name: &[u8]) {
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

    /// The user and password of a URL.
    fn url(&mut self, at: usize) {
        let start = at + if self.byte(at + 1) == Some(b'/') { 3 } else { 5 };
        let highest = self.text.len().min(start + NAME);
        if let Some((from, to)) = query::password(&self.text[start.min(highest)..highest]) {
            let (start, end) = (start + from, start + to);
            let mark = self.rules.mark(&query::percent_decode(&self.text[start..end]));
            self.put(start, end, &mark);
        }
    }

    /// A JSON web token, known by its looks: base64 of `{"`, a dot, more base64.
    fn jwt(&mut self, at: usize) {
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
    fn pem(&mut self, at: usize) {
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

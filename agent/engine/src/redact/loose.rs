//! Names without quotes around them: GraphQL arguments, settings, parameters of URLs, lines of headers and YAML.

use memchr::{memchr, memmem};

use super::quote::{bare_end, container_end, hex4, opening, skip_space};
use super::text::{NAME, Scan, Style};
use super::{query, scheme};

/// GraphQL variables that are remembered because they were given to a secret argument.
const VARIABLES: usize = 8;
/// White space in front of the first name of a line.
const INDENT: usize = 1024;

impl Scan<'_> {
    /// A name without quotes around it.
    pub(super) fn unquoted(&mut self, at: usize) {
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
                let variable = &self.text[start + 1..start + 1 + len];
                // One with the name of a secret is found anyway.
                let is_needed = (1..=NAME).contains(&len) && !self.rules.names.is_secret(variable);
                if is_needed && self.variables.len() < VARIABLES {
                    self.variables.push(variable.to_vec());
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
    pub(super) fn quoted(&mut self, at: usize, name: &[u8]) -> bool {
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
            self.text[..name_start].iter().rev().take(INDENT).take_while(|b| matches!(b, b' ' | b'\t' | b'-' | b'\''));
        let lead = lead.count();
        if self.style != Style::Data || name_start > lead && self.text[name_start - lead - 1] != b'\n' {
            return;
        }
        let end_of_line = |from: usize| memchr(b'\n', &self.text[from..]).map_or(self.text.len(), |n| from + n);
        let mut end = end_of_line(at);
        let start = at + self.text[at..end].iter().take_while(|b| b.is_ascii_whitespace()).count();
        let start = start + scheme::of_field(name, &self.text[start..end]);
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
}

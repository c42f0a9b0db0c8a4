//! Commands and replies as text, in the manner of `redis-cli`: what its user may type, and what it would show.
//!
//! Strings are left bare or put into single quotes where they can be, so that JSON in them stays readable.

use super::command::{Arguments, Known};
use super::resp::{Token, Tokens};
use super::secret::{self, Hidden, Part};
use crate::redact::Redactor;

/// Aggregates inside each other that are shown.
const DEPTH: usize = 16;

/// What became of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rendered {
    /// It was cut at the limit.
    pub cut: bool,
    /// A secret was replaced.
    pub redacted: bool,
}

/// Appends a string as an argument of `redis-cli`.
pub(super) fn push_word(out: &mut Vec<u8>, text: &[u8]) {
    if text.is_empty() {
        return out.extend_from_slice(b"\"\"");
    }
    let is_bare = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
    if text.iter().all(is_bare) {
        return out.extend_from_slice(text);
    }
    let fits = |byte: &u8| *byte >= b' ' && *byte != b'\'' && *byte != 0x7f;
    if text.iter().all(fits) && text.last() != Some(&b'\\') && std::str::from_utf8(text).is_ok() {
        out.push(b'\'');
        out.extend_from_slice(text);
        return out.push(b'\'');
    }
    out.push(b'"');
    for chunk in text.utf8_chunks() {
        for char in chunk.valid().chars() {
            match char {
                '"' | '\\' => out.extend([b'\\', char as u8]),
                '\n' => out.extend_from_slice(b"\\n"),
                '\r' => out.extend_from_slice(b"\\r"),
                '\t' => out.extend_from_slice(b"\\t"),
                '\0'..' ' | '\x7f' => push_hex(out, char as u8),
                _ => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        for &byte in chunk.invalid() {
            push_hex(out, byte);
        }
    }
    out.push(b'"');
}

fn push_hex(out: &mut Vec<u8>, byte: u8) {
    let digit = |value: u8| b"0123456789abcdef"[usize::from(value)];
    out.extend([b'\\', b'x', digit(byte >> 4), digit(byte & 15)]);
}

/// Appends a command; `raw` is what is kept of it.
pub(super) fn command(
    raw: &[u8],
    (known, first): (Known, &Arguments<'_>),
    redactor: &Redactor,
    limit: usize,
    out: &mut Vec<u8>,
) -> Rendered {
    let mut made = Rendered::default();
    let mut before: [&[u8]; 2] = [&[]; 2];
    let strings = Tokens::new(raw).filter_map(|token| if let Token::Bulk(_, text) = token { Some(text) } else { None });
    for (at, argument) in strings.enumerate() {
        if out.len() >= limit {
            made.cut = true;
            break;
        }
        if at > 0 {
            out.push(b' ');
        }
        let part = if redactor.is_enabled() {
            secret::argument(known, first, at, argument, before, redactor)
        } else {
            Part::Nothing
        };
        match part {
            Part::Nothing => push_word(out, argument),
            Part::All => out.extend_from_slice(redactor.value(argument).as_bytes()),
            Part::Behind => {
                out.push(argument[0]);
                out.extend_from_slice(redactor.value(&argument[1..]).as_bytes());
            }
        }
        made.redacted |= part != Part::Nothing;
        before = [argument, before[0]];
    }
    cut(out, limit, &mut made);
    made
}

fn cut(out: &mut Vec<u8>, limit: usize, made: &mut Rendered) {
    if out.len() > limit {
        out.truncate(limit);
        made.cut = true;
    }
}

/// Appends a reply; `raw` is what is kept of it.
pub(super) fn reply(raw: &[u8], hidden: &Hidden, redactor: &Redactor, limit: usize, out: &mut Vec<u8>) -> Rendered {
    let mut writer = Writer { tokens: Tokens::new(raw), out, limit, redactor, made: Rendered::default() };
    match writer.tokens.clone().next() {
        // A string is shown as it is.
        Some(Token::Bulk(kind @ (b'$' | b'='), text)) => {
            let text = if kind == b'=' { text.get(4..).unwrap_or_default() } else { text };
            writer.secret_or(text, hidden, |out, text| out.extend_from_slice(text));
        }
        Some(Token::Line(b'+', text)) => writer.out.extend_from_slice(text),
        _ => writer.value(hidden, 0),
    }
    let mut made = writer.made;
    cut(out, limit, &mut made);
    made
}

struct Writer<'a> {
    tokens: Tokens<'a>,
    out: &'a mut Vec<u8>,
    limit: usize,
    redactor: &'a Redactor,
    made: Rendered,
}

impl<'a> Writer<'a> {
    fn secret_or(&mut self, text: &'a [u8], hidden: &Hidden, show: impl Fn(&mut Vec<u8>, &[u8])) {
        let is_secret = self.redactor.is_enabled()
            && match hidden {
                Hidden::All => true,
                Hidden::Unknown => secret::looks_generated(text),
                _ => false,
            };
        if is_secret {
            self.made.redacted = true;
            self.out.extend_from_slice(self.redactor.value(text).as_bytes());
        } else if matches!(hidden, Hidden::Rules | Hidden::Unknown)
            && self.redactor.is_enabled()
            && (text.starts_with(b"user ") || matches!(text.first(), Some(b'#' | b'>')))
        {
            let words = text.split(|&byte| byte == b' ').enumerate();
            let mut shown = Vec::with_capacity(text.len());
            for (at, word) in words {
                if at > 0 {
                    shown.push(b' ');
                }
                match word.first() {
                    Some(sign @ (b'#' | b'>' | b'<' | b'!')) if word.len() > 1 => {
                        shown.push(*sign);
                        shown.extend_from_slice(self.redactor.value(&word[1..]).as_bytes());
                        self.made.redacted = true;
                    }
                    _ => shown.extend_from_slice(word),
                }
            }
            show(self.out, &shown);
        } else {
            show(self.out, text);
        }
    }

    /// The next value; `indent`: of the lines behind the first.
    fn value(&mut self, hidden: &Hidden, indent: usize) {
        if self.out.len() >= self.limit {
            self.made.cut = true;
            return;
        }
        let mut next = self.tokens.next();
        while let Some(Token::Open(b'|', count)) = next {
            self.out.extend_from_slice(b"(attribute) ");
            self.aggregate(b'%', count, &Hidden::Nothing, indent);
            self.new_line(indent);
            if self.out.len() >= self.limit {
                self.made.cut = true;
                return;
            }
            next = self.tokens.next();
        }
        let Some(token) = next else { return self.missing() };
        match token {
            Token::Line(kind, text) => {
                let word: &[u8] = match kind {
                    b'-' => b"(error) ",
                    b':' => b"(integer) ",
                    b',' => b"(double) ",
                    b'(' => b"(big number) ",
                    b'_' => b"(nil)",
                    b'#' if text == b"t" => b"(true)",
                    b'#' => b"(false)",
                    _ => b"",
                };
                self.out.extend_from_slice(word);
                if kind != b'#' {
                    self.out.extend_from_slice(text);
                }
            }
            Token::Null => self.out.extend_from_slice(b"(nil)"),
            Token::Bulk(b'!', text) => {
                self.out.extend_from_slice(b"(error) ");
                self.out.extend_from_slice(text);
            }
            Token::Bulk(kind, text) => {
                let text = if kind == b'=' { text.get(4..).unwrap_or_default() } else { text };
                self.secret_or(text, hidden, push_word);
            }
            Token::OpenString => {
                let mut whole = Vec::new();
                while let Some(Token::Chunk(chunk)) = self.tokens.next() {
                    if chunk.is_empty() {
                        break;
                    }
                    whole.extend_from_slice(chunk);
                }
                if self.redactor.is_enabled() && matches!(hidden, Hidden::All | Hidden::Unknown) {
                    self.made.redacted = true;
                    self.out.extend_from_slice(self.redactor.value(&whole).as_bytes());
                } else {
                    push_word(self.out, &whole);
                }
            }
            Token::Open(kind, count) => self.aggregate(kind, count, hidden, indent),
            Token::Chunk(_) | Token::Close => {}
        }
    }

    /// What was not captured.
    fn missing(&mut self) {
        self.out.extend_from_slice("…".as_bytes());
        self.tokens = Tokens::new(&[]);
    }

    fn new_line(&mut self, indent: usize) {
        self.out.push(b'\n');
        self.out.resize(self.out.len() + indent, b' ');
    }

    fn aggregate(&mut self, kind: u8, count: Option<u64>, hidden: &Hidden, indent: usize) {
        let is_map = kind == b'%';
        let (sign, empty): (_, &[u8]) = match kind {
            b'%' => ("# ", b"(empty hash)"),
            b'~' => ("~ ", b"(empty set)"),
            _ => (") ", b"(empty array)"),
        };
        if indent / 3 >= DEPTH {
            // The rest of the text would be of no use to anybody.
            self.made.cut = true;
            return self.missing();
        }
        let width = count.map_or(1, |count| count.max(1).ilog10() as usize + 1);
        let indent_inside = indent + width + 2;
        let is_paired = is_map || count.is_some_and(|count| count.is_multiple_of(2));
        let mut name: &[u8] = &[];
        let mut at = 0;
        while count.is_none_or(|count| at < count) {
            let next = self.tokens.clone().next();
            if next == Some(Token::Close) && count.is_none() {
                self.tokens.next();
                break;
            }
            if self.out.len() >= self.limit {
                self.made.cut = true;
                return;
            }
            if at > 0 {
                self.new_line(indent);
            }
            let number = (at + 1).to_string();
            self.out.resize(self.out.len() + width.saturating_sub(number.len()), b' ');
            self.out.extend_from_slice(number.as_bytes());
            self.out.extend_from_slice(sign.as_bytes());
            if next.is_none() {
                return self.missing();
            }
            let own = hidden.of_element(at as usize);
            if is_map {
                name = name_of(next);
                self.value(own, indent_inside);
                self.out.extend_from_slice(b" => ");
            }
            let is_value = is_map || (is_paired && at % 2 == 1);
            let is_secret = is_value && self.redactor.is_enabled() && secret::names_secret(name, self.redactor);
            self.value(if is_secret { &Hidden::All } else { own }, indent_inside);
            if !is_map {
                name = name_of(next);
            }
            at += 1;
        }
        if at == 0 {
            self.out.extend_from_slice(empty);
        }
    }
}

/// The text of a value that may be a name.
fn name_of(token: Option<Token<'_>>) -> &[u8] {
    match token {
        Some(Token::Bulk(b'$', text) | Token::Line(b'+', text)) => text,
        _ => &[],
    }
}

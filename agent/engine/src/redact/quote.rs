//! Quotes, and where what they enclose ends: JSON at any depth of JSON in JSON strings.
//!
//! A document inside a string has its quotes escaped, `\"`, one that is in a string of that one `\\\"`, and so on: the
//! *level* of a quote is how deep the document lies that it belongs to, and `2^level - 1` backslashes precede it. Any
//! further ones are escaped backslashes at the end of the string, two or more at each level; so the level is the number
//! of ones at the end of the number of backslashes, written in binary.

use memchr::memchr;

/// Levels of escapes that are undone; deeper ones give a mark all the same.
const UNESCAPES: u32 = 4;

/// How many backslashes make a quote one of this level.
pub(super) fn slashes(level: u32) -> usize {
    (1 << level) - 1
}

/// The level of the quote at `at`; backslashes before `from` do not count.
pub(super) fn level(text: &[u8], from: usize, at: usize) -> u32 {
    let run = text[from..at].iter().rev().take_while(|&&b| b == b'\\').count();
    run.trailing_ones()
}

/// The quote that stands at `at`, behind its backslashes: its level, and where the text behind it begins.
pub(super) fn opening(text: &[u8], at: usize) -> Option<(u32, usize)> {
    let run = text.get(at..)?.iter().take_while(|&&b| b == b'\\').count();
    let level = run.trailing_ones();
    (text.get(at + run) == Some(&b'"') && run == slashes(level)).then_some((level, at + run + 1))
}

/// Where a string ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StringEnd {
    /// Behind its last byte: at the backslashes of the quote that ends it, or at the end of the text.
    pub content: usize,
    /// Behind the quote that closes it; none: it was cut, by the end of the text or of a string around it.
    pub closed: Option<usize>,
}

/// The end of the string of this level whose content begins at `start`.
pub(super) fn string_end(text: &[u8], start: usize, level: u32) -> StringEnd {
    let mut at = start;
    while let Some(found) = memchr(b'"', &text[at..]) {
        let quote = at + found;
        let found = self::level(text, start, quote);
        if found <= level {
            let content = quote - slashes(found);
            return StringEnd { content, closed: (found == level).then_some(quote + 1) };
        }
        at = quote + 1;
    }
    StringEnd { content: text.len(), closed: None }
}

/// The end of the object or array that begins at `start`, in a document of this level.
pub(super) fn container_end(text: &[u8], start: usize, level: u32) -> usize {
    let mut depth = 0usize;
    let mut at = start;
    while at < text.len() {
        match text[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            b'"' => {
                let found = self::level(text, start, at);
                if found < level {
                    return at - slashes(found);
                }
                if found == level {
                    let end = string_end(text, at + 1, level);
                    match end.closed {
                        Some(closed) => {
                            at = closed;
                            continue;
                        }
                        None => return end.content,
                    }
                }
            }
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// The end of a number or word.
pub(super) fn bare_end(text: &[u8], start: usize) -> usize {
    let is_end = |b: u8| matches!(b, b',' | b'}' | b']' | b')' | b'"' | b'\\') || b.is_ascii_whitespace();
    text[start..].iter().position(|&b| is_end(b)).map_or(text.len(), |n| start + n)
}

/// The first byte from `at` that is no white space.
pub(super) fn skip_space(text: &[u8], at: usize) -> usize {
    text[at..].iter().position(|b| !b.is_ascii_whitespace()).map_or(text.len(), |n| at + n)
}

/// Undoes the escapes of a string of this level.
pub(super) fn unescape(raw: &[u8], level: u32) -> Vec<u8> {
    let mut text = raw.to_vec();
    for _ in 0..=level.min(UNESCAPES) {
        if memchr(b'\\', &text).is_none() {
            break;
        }
        text = unescape_once(&text);
    }
    text
}

fn unescape_once(raw: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(raw.len());
    let mut at = 0;
    while at < raw.len() {
        let byte = raw[at];
        at += 1;
        if byte != b'\\' {
            text.push(byte);
            continue;
        }
        let Some(&escaped) = raw.get(at) else { break };
        at += 1;
        match escaped {
            b'n' => text.push(b'\n'),
            b't' => text.push(b'\t'),
            b'r' => text.push(b'\r'),
            b'b' => text.push(8),
            b'f' => text.push(12),
            b'u' => {
                let (code, next) = code_point(raw, at);
                text.extend_from_slice(code.encode_utf8(&mut [0; 4]).as_bytes());
                at = next;
            }
            other => text.push(other),
        }
    }
    text
}

/// Four hexadecimal digits at `at`.
pub(super) fn hex4(raw: &[u8], at: usize) -> Option<u32> {
    let digits = raw.get(at..at + 4)?;
    digits.iter().try_fold(0, |value, &b| Some(value << 4 | (b as char).to_digit(16)?))
}

/// The character of the digits at `at`, or of a pair of surrogates, and where the text goes on.
fn code_point(raw: &[u8], at: usize) -> (char, usize) {
    let Some(first) = hex4(raw, at) else { return ('\u{fffd}', at) };
    if let (0xd800..0xdc00, Some(b"\\u"), Some(second @ 0xdc00..0xe000)) =
        (first, raw.get(at + 4..at + 6), hex4(raw, at + 6))
    {
        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (char::from_u32(code).unwrap_or('\u{fffd}'), at + 10);
    }
    (char::from_u32(first).unwrap_or('\u{fffd}'), at + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A string literal whose content is `text`.
    fn quoted(text: &str) -> String {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    }

    #[test]
    fn levels_count_the_documents_around_a_quote() {
        let mut text = "\"ab\\\\\"".to_owned();
        for depth in 0..5 {
            let (found, start) = opening(text.as_bytes(), depth_offset(depth)).unwrap();
            assert_eq!(found, depth, "{text}");
            let end = string_end(text.as_bytes(), start, found);
            assert_eq!(unescape(&text.as_bytes()[start..end.content], found), b"ab\\", "{text}");
            assert_eq!(end.closed, Some(text.len() - tail(depth)), "{text}");
            text = quoted(&text);
        }
    }

    /// Bytes of the opening quotes in front of the innermost string.
    fn depth_offset(depth: u32) -> usize {
        (0..depth).map(|level| slashes(level) + 1).sum()
    }

    fn tail(depth: u32) -> usize {
        depth_offset(depth)
    }

    #[test]
    fn a_string_ends_with_the_one_around_it() {
        let text = br#""{\"a\":\"bc" "#;
        let end = string_end(text, 10, 1);
        assert_eq!(end, StringEnd { content: 12, closed: None });
    }

    #[test]
    fn containers_end_at_their_bracket() {
        for (text, level, end) in [
            (&br#"{"a":[1,{"}":"]"}]},"b""#[..], 0, 19),
            (br#"[[[["#, 0, 4),
            (br#"{\"a\":\"}\"},"#, 1, 13),
            (br#"{\"a\":1"}"#, 1, 8),
            (br#"{\"a\":\"x"}"#, 1, 10),
        ] {
            assert_eq!(container_end(text, 0, level), end, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn escapes_are_undone() {
        for (raw, text) in [
            (r"a\nb\/\u0041\u00e9", "a\nb/A\u{e9}"),
            (r"\ud83d\ude00\ud83d", "\u{1f600}\u{fffd}"),
            (r"\u12\", "\u{fffd}12"),
            ("plain", "plain"),
        ] {
            assert_eq!(unescape(raw.as_bytes(), 0), text.as_bytes(), "{raw}");
        }
    }
}

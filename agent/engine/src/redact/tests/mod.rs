//! What is replaced, and what is left alone. In the expected texts `<>` stands for any mark.

mod formats;
mod json;
mod places;

use super::*;

fn redactor() -> Redactor {
    Redactor::new([7; 16], &[])
}

/// Runs one of the methods and shows marks as `<>`; none: nothing was changed.
fn run(change: impl FnOnce(&Redactor, &mut Vec<u8>) -> bool) -> Option<String> {
    let mut out = b"kept ".to_vec();
    if !change(&redactor(), &mut out) {
        assert_eq!(out, b"kept ");
        return None;
    }
    let text = String::from_utf8(out).unwrap();
    Some(without_marks(text.strip_prefix("kept ").unwrap()))
}

fn without_marks(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("redacted:") {
        let hash = &rest[at + 9..at + 15];
        assert!(hash.bytes().all(|b| b.is_ascii_hexdigit()), "{text}");
        shown.push_str(&rest[..at]);
        rest = &rest[at + 15..];
    }
    shown + rest
}

fn body(media_type: &str, text: &str) -> Option<String> {
    run(|r, out| r.body(media_type.as_bytes(), text.as_bytes(), out))
}

fn assert_bodies(media_type: &str, cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(body(media_type, text).as_deref(), Some(*expected), "{text}");
    }
}

fn assert_unchanged(media_type: &str, cases: &[&str]) {
    for text in cases {
        assert_eq!(body(media_type, text), None, "{text}");
    }
}

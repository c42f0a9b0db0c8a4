//! Where values may begin: to recognise Redis, and to find commands and pushes again after a loss.

use super::command;
use crate::protocol::Probe;
use crate::stream::{Side, View};

/// Whether these are the first bytes of Redis, and who sent them.
pub(super) fn probe(bytes: &[u8]) -> Probe {
    match bytes.first() {
        Some(b'*') => match command_starts(bytes) {
            Some(true) => Probe::Match(Side::Client),
            Some(false) if push_starts(bytes) == Some(true) => Probe::Match(Side::Server),
            Some(false) => Probe::No,
            None => Probe::More,
        },
        Some(b'>') => match push_starts(bytes) {
            Some(true) => Probe::Match(Side::Server),
            Some(false) => Probe::No,
            None => Probe::More,
        },
        // Of inline commands, the one that other protocols do not have in this form.
        Some(b'P' | b'p') => {
            let start = &bytes[..bytes.len().min(6)];
            match start.eq_ignore_ascii_case(&b"PING\r\n"[..start.len()]) {
                true if start.len() == 6 => Probe::Match(Side::Client),
                true => Probe::More,
                false => Probe::No,
            }
        }
        Some(_) => Probe::No,
        None => Probe::More,
    }
}

/// Whether a command begins here; `None`: too few bytes to tell.
pub(super) fn command_starts(bytes: &[u8]) -> Option<bool> {
    let Some((_, name, whole)) = first_string(bytes, b'*')? else { return Some(false) };
    if whole {
        return Some(command::find(name).is_some() || (command::is_name(name) && name.contains(&b'.')));
    }
    if name.is_empty() || command::is_name(name) { None } else { Some(false) }
}

/// Whether a push begins here that is known by its first word; `None`: too few bytes to tell.
pub(super) fn push_starts(bytes: &[u8]) -> Option<bool> {
    let kind = *bytes.first()?;
    if !matches!(kind, b'*' | b'>') {
        return Some(false);
    }
    let Some((count, name, whole)) = first_string(bytes, kind)? else { return Some(false) };
    let deliveries: [(&[u8], usize); 3] = [(b"message", 3), (b"pmessage", 4), (b"smessage", 3)];
    if whole {
        let is_delivery = deliveries.contains(&(name, count));
        return Some(is_delivery || (kind == b'>' && matches!(name, b"invalidate" | b"subscribe" | b"psubscribe")));
    }
    let may_be = (kind == b'>' || (3..=4).contains(&count)) && name.iter().all(u8::is_ascii_lowercase);
    if may_be { None } else { Some(false) }
}

/// The number of elements of an array, and what there is of its first string, and whether that is all of it.
#[allow(clippy::type_complexity, reason = "too few bytes, no such array, its parts")]
fn first_string(bytes: &[u8], kind: u8) -> Option<Option<(usize, &[u8], bool)>> {
    let number = |bytes: &'_ [u8]| -> Option<Option<(usize, usize)>> {
        let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits > 7 || (digits == 0 && !bytes.is_empty()) || bytes.first() == Some(&b'0') {
            return Some(None);
        }
        match bytes.get(digits..digits + 2) {
            Some(b"\r\n") => {}
            None if bytes.get(digits).is_none_or(|&byte| byte == b'\r') => return None,
            _ => return Some(None),
        }
        let value = std::str::from_utf8(&bytes[..digits]).ok().and_then(|text| text.parse().ok())?;
        Some(Some((value, digits + 2)))
    };
    if bytes.first().is_some_and(|&byte| byte != kind) {
        return Some(None);
    }
    let Some((count, size)) = number(bytes.get(1..)?)? else { return Some(None) };
    let rest = &bytes[1 + size..];
    if rest.first().is_some_and(|&byte| byte != b'$') {
        return Some(None);
    }
    let Some((len, size)) = number(rest.get(1..)?)? else { return Some(None) };
    let text = &rest[1 + size..];
    let name = &text[..len.min(text.len())];
    match text.get(len..len + 2) {
        Some(b"\r\n") => Some(Some((count, name, true))),
        Some(_) => Some(None),
        None if len > 64 => Some(None),
        None => Some(Some((count, name, false))),
    }
}

/// Where a command may begin after a loss, and whether one does; before that is nothing of use.
pub(super) fn find_command(view: View<'_>) -> (usize, bool) {
    find(view, b"*", command_starts)
}

/// Where a push may begin after a loss. Other replies can't be told from what they hold.
pub(super) fn find_push(view: View<'_>) -> (usize, bool) {
    find(view, b">", push_starts)
}

/// At the start of a segment, or behind the end of a line.
fn find(view: View<'_>, other: &[u8; 1], starts: impl Fn(&[u8]) -> Option<bool>) -> (usize, bool) {
    let bytes = view.bytes;
    for at in memchr::memchr2_iter(b'*', other[0], bytes) {
        if view.starts_segment(at) || (at >= 2 && &bytes[at - 2..at] == b"\r\n") {
            match starts(&bytes[at..]) {
                Some(true) => return (at, true),
                Some(false) => {}
                None => return (at, false),
            }
        }
    }
    (bytes.len(), false)
}

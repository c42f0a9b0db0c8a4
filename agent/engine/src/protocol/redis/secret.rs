//! Which arguments and which parts of replies are secrets.
//!
//! Passwords of the server and of its users are known by their commands; values by the name of their key, field or
//! setting, as everywhere ([`crate::redact`]).

use super::command::{Arguments, Known, Meaning};
use crate::redact::Redactor;

/// Settings and parameters that hold passwords, and whose names alone do not say so.
const SETTINGS: [&str; 8] = [
    "requirepass",
    "masterauth",
    "primaryauth",
    "tls-key-file-pass",
    "tls-client-key-file-pass",
    "auth-pass",
    "sentinel-pass",
    "passwords",
];

/// Longest name that is looked at: the noun of a key is at its end, but a long value is no name.
const NAME: usize = 128;

/// Whether what stands behind or under this name is a secret.
pub(super) fn names_secret(name: &[u8], redactor: &Redactor) -> bool {
    name.len() <= NAME
        && name.first().is_some_and(u8::is_ascii_alphabetic)
        && (SETTINGS.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes())) || redactor.is_secret(name))
}

/// What of an argument is to be hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Nothing,
    All,
    /// All but the first byte.
    Behind,
}

/// What to hide of the argument at this place. `before` are the two in front of it, the nearer one first.
pub(super) fn argument(
    known: Known,
    first: &Arguments<'_>,
    at: usize,
    argument: &[u8],
    before: [&[u8]; 2],
    redactor: &Redactor,
) -> Part {
    if at == 0 {
        return Part::Nothing;
    }
    let behind = |word: &[u8], distance: usize| at > distance && before[distance - 1].eq_ignore_ascii_case(word);
    let name = first.get(0);
    let is = |names: &[&str]| names.iter().any(|one| name.eq_ignore_ascii_case(one.as_bytes()));
    let key_is_secret = || names_secret(first.get(1), redactor);
    let all = match known.meaning {
        Meaning::Auth => at == 2 || first.count <= 2,
        Meaning::Hello => behind(b"AUTH", 2),
        Meaning::Migrate => behind(b"AUTH", 1) || behind(b"AUTH2", 2),
        Meaning::Acl if first.is(1, b"SETUSER") && at >= 3 => {
            return if matches!(argument.first(), Some(b'>' | b'<' | b'#' | b'!')) {
                Part::Behind
            } else {
                Part::Nothing
            };
        }
        Meaning::Value if at >= 2 => match at {
            _ if is(&["LPUSH", "LPUSHX", "RPUSH", "RPUSHX", "SADD", "SREM"]) => key_is_secret(),
            _ if is(&["MSET", "MSETNX"]) => at.is_multiple_of(2) && names_secret(before[0], redactor),
            2 => is(&["SET", "GETSET", "SETNX", "APPEND"]) && key_is_secret(),
            3 => is(&["SETEX", "PSETEX", "SETRANGE", "LREM", "LSET"]) && key_is_secret(),
            4 => is(&["LINSERT"]) && key_is_secret(),
            _ => false,
        },
        Meaning::Value => false,
        _ => at >= 3 && names_secret(before[0], redactor),
    };
    if all { Part::All } else { Part::Nothing }
}

/// What of a reply is to be hidden, besides what stands behind the name of a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Hidden {
    #[default]
    Nothing,
    /// All strings.
    All,
    /// The strings of an array that have their bit set; the last bit is that of all further ones.
    Some(u64),
    /// Passwords in the rules of users.
    Rules,
    /// Of each reply of a transaction; the last is that of all further ones.
    Each(Box<[Hidden]>),
    /// It is not known what was asked.
    Unknown,
}

impl Hidden {
    /// What to hide of an element of an array.
    pub fn of_element(&self, at: usize) -> &Self {
        match self {
            Self::Some(bits) if bits >> at.min(63) & 1 == 1 => &Self::All,
            Self::Some(_) => &Self::Nothing,
            Self::Each(each) => each.get(at).or(each.last()).unwrap_or(&Self::Unknown),
            other => other,
        }
    }
}

/// What is to be hidden of the reply to a command.
pub(super) fn in_reply(known: Known, arguments: &Arguments<'_>, redactor: &Redactor) -> Hidden {
    let names = |at: usize| names_secret(arguments.get(at), redactor);
    let bits = |from: usize| {
        let set = (from..arguments.listed().len()).filter(|&at| names(at));
        set.fold(0, |bits, at| bits | 1u64 << (at - from).min(63))
    };
    match known.meaning {
        Meaning::Acl if arguments.is(1, b"GENPASS") => Hidden::All,
        Meaning::Acl => Hidden::Rules,
        Meaning::Value if arguments.is(0, b"MGET") => Hidden::Some(bits(1)),
        Meaning::Value if names(1) => Hidden::All,
        Meaning::Field if arguments.is(0, b"HMGET") => Hidden::Some(bits(2)),
        Meaning::Field if bits(2) != 0 => Hidden::All,
        _ => Hidden::Nothing,
    }
}

/// Whether a string whose meaning is not known is one that opens something: a generated password.
pub(super) fn looks_generated(text: &[u8]) -> bool {
    text.len() >= 16 && text.iter().all(u8::is_ascii_hexdigit)
}

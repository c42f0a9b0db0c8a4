//! What a push says: deliveries of subscriptions, their confirmations, invalidations of tracked keys.

use super::command::Meaning;
use super::resp::{Token, Tokens};

/// The words that pushes begin with; the class tells subscriptions to channels, patterns and shard channels apart.
const KINDS: [(&[u8], &str, Class); 13] = [
    (b"message", "message", Class::Channel),
    (b"pmessage", "pmessage", Class::Pattern),
    (b"smessage", "smessage", Class::Shard),
    (b"subscribe", "subscribe", Class::Channel),
    (b"psubscribe", "psubscribe", Class::Pattern),
    (b"ssubscribe", "ssubscribe", Class::Shard),
    (b"unsubscribe", "unsubscribe", Class::Channel),
    (b"punsubscribe", "punsubscribe", Class::Pattern),
    (b"sunsubscribe", "sunsubscribe", Class::Shard),
    (b"invalidate", "invalidate", Class::Tracking),
    (b"tracking-redir-broken", "tracking-redir-broken", Class::Tracking),
    (b"monitor", "monitor", Class::Monitor),
    (b"", "push", Class::Other),
];

/// What an exchange is subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Channel,
    Pattern,
    Shard,
    Tracking,
    Monitor,
    Other,
}

/// What a push says.
#[derive(Clone, Copy)]
pub(super) struct Push<'a> {
    pub kind: &'static str,
    pub class: Class,
    /// Channel or pattern that was subscribed to.
    pub topic: &'a [u8],
    /// Channel that a pattern fits.
    pub channel: &'a [u8],
    /// The payload of a delivery, if it is one string.
    pub payload: Option<&'a [u8]>,
}

impl Push<'_> {
    pub fn is_delivery(&self) -> bool {
        matches!(self.kind, "message" | "pmessage" | "smessage")
    }

    pub fn is_subscribed(&self) -> bool {
        matches!(self.kind, "subscribe" | "psubscribe" | "ssubscribe")
    }

    pub fn is_unsubscribed(&self) -> bool {
        matches!(self.kind, "unsubscribe" | "punsubscribe" | "sunsubscribe")
    }
}

/// Reads a push (RESP3), or an array that may be one (RESP2).
pub(super) fn push(raw: &[u8]) -> Option<Push<'_>> {
    let mut tokens = Tokens::new(raw);
    let count = match tokens.next()? {
        Token::Open(b'>' | b'*', Some(count)) => count,
        _ => return None,
    };
    let text = |token| match token {
        Some(Token::Bulk(b'$', text) | Token::Line(b'+', text)) => Some(text),
        _ => None,
    };
    let word = text(tokens.next()).filter(|_| count >= 1)?;
    let (_, kind, class) = *KINDS.iter().find(|(known, ..)| *known == word).or_else(|| KINDS.last())?;
    if kind == "push" {
        return Some(Push { kind, class, topic: word, channel: b"", payload: None });
    }
    let topic = text(tokens.next()).unwrap_or_default();
    let channel = if kind == "pmessage" { text(tokens.next()).unwrap_or_default() } else { b"" };
    let is_delivery = kind.ends_with("message");
    if is_delivery && count != if kind == "pmessage" { 4 } else { 3 } {
        return None;
    }
    let payload = if is_delivery { text(tokens.next()) } else { None };
    Some(Push { kind, class, topic, channel, payload })
}

/// What a command subscribes to or leaves.
pub(super) fn class_of(name: &[u8], meaning: Meaning) -> Class {
    match (name.first().map(u8::to_ascii_uppercase), meaning) {
        (Some(b'P'), _) => Class::Pattern,
        (Some(b'S'), Meaning::Subscribe) if name.get(1).is_some_and(|b| b.eq_ignore_ascii_case(&b's')) => Class::Shard,
        (Some(b'S'), Meaning::Unsubscribe) => Class::Shard,
        _ => Class::Channel,
    }
}

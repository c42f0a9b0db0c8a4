//! What the server sends: replies, and what comes unasked, told apart.

use super::command::Meaning;
use super::push::{self, Class, Push};
use super::record::{Command, Reply};
use super::sync::is_possible;
use super::{Confirming, Redis};
use crate::protocol::Context;

impl Redis {
    /// A value came from the server: a reply, or something that nobody waits for.
    pub(super) fn replied(&mut self, reply: &Reply<'_>, cx: &mut Context<'_>) {
        match reply.raw.first() {
            Some(b'>' | b'%' | b'_' | b'#' | b',' | b'(' | b'~' | b'=' | b'!' | b'|') => self.is_resp3 = Some(true),
            _ if self.is_resp3.is_none() && self.trust.is_known() => self.is_resp3 = Some(false),
            _ => {}
        }
        let is_monitor = self.streams.iter().any(|stream| stream.class == Class::Monitor);
        if let Some(line) = monitor_line(reply.raw)
            && (is_monitor || !self.trust.is_known())
        {
            return self.monitored(line, reply, cx);
        }
        if matches!(reply.raw.first(), Some(b'>' | b'*'))
            && let Some(push) = push::push(reply.raw)
            && self.is_push(&push, reply)
        {
            if !push.is_delivery() && !self.confirmed(&push, reply, cx) {
                return;
            }
            return self.pushed(&push, reply, cx);
        }
        self.confirming = None;
        self.answer(reply, cx);
    }

    /// Whether an array is a push: in RESP2 only what stands around it tells.
    fn is_push(&self, push: &Push<'_>, reply: &Reply<'_>) -> bool {
        if reply.raw.first() == Some(&b'>') {
            return true;
        }
        if self.is_resp3 == Some(true) || matches!(push.class, Class::Other | Class::Tracking | Class::Monitor) {
            return false;
        }
        let asks_for = |command: &Command, meaning| command.meaning == meaning;
        let front = self.waiting.front();
        if push.is_delivery() {
            return self.is_subscribed() || (!self.trust.is_known() && self.commands.is_empty());
        }
        let meaning = if push.is_subscribed() { Meaning::Subscribe } else { Meaning::Unsubscribe };
        self.confirming.is_some_and(|confirming| confirming.kind == push.kind)
            || front.is_some_and(|command| asks_for(command, meaning))
            || self.subscribing.iter().any(|command| asks_for(command, meaning))
    }

    /// A subscription was confirmed or ended. Says whether it is a message of an exchange, too.
    pub(super) fn confirmed(&mut self, push: &Push<'_>, reply: &Reply<'_>, cx: &mut Context<'_>) -> bool {
        let meaning = match (push.is_subscribed(), push.is_unsubscribed()) {
            (true, _) => Meaning::Subscribe,
            (_, true) => Meaning::Unsubscribe,
            _ => return true,
        };
        let has_stream = |redis: &Self| redis.channels_of(push.class) > 0;
        if let Some(confirming) = &mut self.confirming
            && confirming.kind == push.kind
            && confirming.left > 0
        {
            confirming.left -= 1;
            return push.is_subscribed() || has_stream(self);
        }
        self.confirming = None;
        let is_it = |command: &Command| {
            command.meaning == meaning && push::class_of(command.message.span(command.operation), meaning) == push.class
        };
        let command = if self.waiting.front().is_some_and(|c| is_it(c) && is_possible(c, reply)) {
            self.take_first()
        } else {
            let at = self.subscribing.iter().position(|c| is_it(c) && names(c, push.topic) && is_possible(c, reply));
            at.map(|at| self.subscribing.remove(at))
        };
        let Some(command) = command else { return push.is_subscribed() || has_stream(self) };
        let left = match command.channels {
            // All channels are left, and named one by one.
            0 => (self.channels_of(push.class) as u32).saturating_sub(1),
            channels => channels - 1,
        };
        self.confirming = Some(Confirming { kind: push.kind, left });
        if push.is_subscribed() {
            self.begin_stream(command, push.class, reply, cx);
            return true;
        }
        let has_stream = has_stream(self);
        self.put_pair(command, reply, cx);
        has_stream
    }
}

/// Whether a subscription is to this channel.
fn names(command: &Command, channel: &[u8]) -> bool {
    let target = command.message.span(command.target);
    target.is_empty() || memchr::memmem::find(target, channel).is_some()
}

/// A line of MONITOR: `+1339518083.107412 [0 127.0.0.1:60866] "keys" "*"`.
fn monitor_line(raw: &[u8]) -> Option<&[u8]> {
    let line = raw.strip_prefix(b"+")?;
    let line = line.strip_suffix(b"\r\n").unwrap_or(line);
    let digits = line.iter().position(|byte| !byte.is_ascii_digit())?;
    let rest = line[digits..].strip_prefix(b".")?;
    let micros = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    (digits > 0 && rest[micros..].starts_with(b" [")).then_some(line)
}

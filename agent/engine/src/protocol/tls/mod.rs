//! TLS (RFC 8446): not read, but recognised; the ClientHello tells the server's name and the protocols on offer.

pub mod hello;

#[cfg(test)]
mod tests;

use self::hello::{Parsed, client_hello, server_hello};
use super::{Context, Dissector, End, Probe, Protocol, Step};
use crate::packet::Nanos;
use crate::stream::{Gap, Side, View};

/// Bytes that are waited for to see a whole hello.
const LONGEST: usize = 16 << 10;

/// How TLS is recognised.
pub const PROTOCOL: Protocol = Protocol { name: "tls", probe, new: || Box::<Tls>::default() };

fn probe(bytes: &[u8]) -> Probe {
    match bytes {
        [] | [22] | [22, 3] => Probe::More,
        // A handshake record of version 3.x; then a ClientHello or a ServerHello.
        [22, 3, 0..=4, a, b, rest @ ..] => {
            let len = u16::from_be_bytes([*a, *b]);
            match rest.first() {
                _ if !(4..=16_640).contains(&len) => Probe::No,
                None => Probe::More,
                Some(1) => Probe::Match(Side::Client),
                Some(2) => Probe::Match(Side::Server),
                Some(_) => Probe::No,
            }
        }
        [22, 3, 0..=4, ..] => Probe::More,
        // Application data in the middle of a connection: which side is not known, and does not matter.
        [23, 3, 3, a, b, rest @ ..] => {
            let len = usize::from(u16::from_be_bytes([*a, *b]));
            // Followed by another record, or by nothing: five bytes alone would be too weak a sign.
            match rest.get(len..) {
                Some([]) if len >= 24 => Probe::Match(Side::Client),
                Some([20..=23, 3, 3, ..]) if len >= 24 => Probe::Match(Side::Client),
                _ => Probe::No,
            }
        }
        _ => Probe::No,
    }
}

/// Notes what the handshake says, and lets the rest pass.
#[derive(Default)]
struct Tls {
    done: [bool; 2],
}

impl Dissector for Tls {
    fn name(&self) -> &'static str {
        "tls"
    }

    fn data(&mut self, side: Side, view: View<'_>, cx: &mut Context<'_>) -> Step {
        if !self.done[side as usize] {
            let is_partial = match side {
                Side::Client => match client_hello(view.bytes) {
                    Parsed::Hello(hello) => {
                        cx.conn.sni = hello.sni;
                        let offered = (!hello.alpn.is_empty()).then(|| hello.alpn.join(","));
                        cx.conn.alpn = cx.conn.alpn.take().or(offered);
                        false
                    }
                    other => other == Parsed::Incomplete,
                },
                Side::Server => match server_hello(view.bytes) {
                    Parsed::Hello(hello) => {
                        cx.conn.alpn = hello.alpn.or(cx.conn.alpn.take());
                        false
                    }
                    other => other == Parsed::Incomplete,
                },
            };
            if is_partial && view.bytes.len() < LONGEST {
                return Step::Consumed(0);
            }
            self.done[side as usize] = true;
        }
        Step::Consumed(view.bytes.len())
    }

    fn gap(&mut self, side: Side, _rest: View<'_>, _gap: Gap, _cx: &mut Context<'_>) {
        self.done[side as usize] = true;
    }

    fn fin(&mut self, _side: Side, _rest: View<'_>, _time: Nanos, _cx: &mut Context<'_>) {}

    fn end(&mut self, _how: End, _time: Nanos, _cx: &mut Context<'_>) {}
}

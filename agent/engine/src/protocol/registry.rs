//! The list of the protocols that can be recognised.

use super::{DatagramProtocol, Protocol, dns, http1, http2, redis, tls, websocket};

/// All datagram protocols, in the order in which they are asked.
pub static DATAGRAM_REGISTRY: &[DatagramProtocol] = &[dns::PROTOCOL_UDP];

/// All stream protocols, in the order in which they are asked.
pub static REGISTRY: &[Protocol] =
    &[http2::PROTOCOL, http1::PROTOCOL, redis::PROTOCOL, tls::PROTOCOL, dns::PROTOCOL_TCP];

/// Stream protocols that have no beginning of their own: asked last, of connections whose beginning was not seen.
pub static JOINED: &[Protocol] = &[websocket::PROTOCOL];

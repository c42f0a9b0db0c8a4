//! The list of the protocols that can be recognised.

use super::{DatagramProtocol, Protocol, dns, http1, http2, redis, tls};

/// All datagram protocols, in the order in which they are asked.
pub static DATAGRAM_REGISTRY: &[DatagramProtocol] = &[dns::PROTOCOL_UDP];

/// All stream protocols, in the order in which they are asked.
pub static REGISTRY: &[Protocol] =
    &[http2::PROTOCOL, http1::PROTOCOL, redis::PROTOCOL, tls::PROTOCOL, dns::PROTOCOL_TCP];

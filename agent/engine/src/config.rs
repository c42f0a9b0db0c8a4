//! What can be set from outside, and the bounds with their reasons.

use crate::packet::Nanos;

/// One second.
pub const SECOND: Nanos = 1_000_000_000;
/// One millisecond.
pub const MILLISECOND: Nanos = 1_000_000;

/// Settings of one engine.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whether heads and bodies are made at all.
    pub heads: bool,
    /// Bytes of one body that are kept; 0: no bodies.
    pub body_limit: usize,
    /// The key of redaction marks; `None`: nothing is redacted.
    pub redact_key: Option<[u8; 16]>,
    /// Further names that hold secrets, in lower case.
    pub redact_names: Vec<String>,
    /// Sets of descriptors of Protocol Buffers: what fields of gRPC messages are called.
    pub descriptors: Vec<Vec<u8>>,
    /// Tells the ids of this engine's records from those of others; 0 for a file.
    pub origin: u64,
    /// The other bounds.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            heads: true,
            body_limit: 64 * 1024,
            redact_key: Some([0; 16]),
            redact_names: Vec::new(),
            descriptors: Vec::new(),
            origin: 0,
            limits: Limits::default(),
        }
    }
}

/// Bounds. What each costs when it is reached is counted under the name of its field.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Flows in the table: beyond, the one idle longest goes. A node rarely has more live connections than this.
    pub flows: usize,
    /// Bytes held for all flows together (out of order, unconsumed, half-read messages).
    pub held: usize,
    /// Bytes of one direction that wait out of order: a large receive window.
    pub reorder_bytes: usize,
    /// How long they wait while the missing piece may still come by retransmission (RFC 6298: RTO of 1 s, doubled).
    pub reorder_wait: Nanos,
    /// How long they wait when the receiver has acknowledged the missing piece, so that only the capture lost or
    /// delayed it: the skew between capture buffers of several processors.
    pub acked_wait: Nanos,
    /// Bytes that a dissector may leave unconsumed in one direction: heads larger than this exist in attacks only
    /// (nginx allows 32 KiB, Envoy 60 KiB).
    pub unconsumed: usize,
    /// Headers of one message.
    pub headers: usize,
    /// Requests of one connection that wait for their response.
    pub pending: usize,
    /// Idle time after which a TCP connection is given up.
    pub tcp_idle: Nanos,
    /// Idle time after which a UDP flow ends.
    pub udp_idle: Nanos,
    /// How long a closed connection is kept for late segments, so that they do not look like a new one.
    pub linger: Nanos,
    /// How long a query over UDP waits for its answer (resolvers give up after 5 s).
    pub query_wait: Nanos,
    /// Inflated bytes that are counted behind the kept part of one body.
    pub inflated: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            flows: 131_072,
            held: 192 << 20,
            reorder_bytes: 1 << 20,
            reorder_wait: 3 * SECOND,
            acked_wait: 100 * MILLISECOND,
            unconsumed: 64 << 10,
            headers: 256,
            pending: 1024,
            tcp_idle: 600 * SECOND,
            udp_idle: 30 * SECOND,
            linger: SECOND,
            query_wait: 5 * SECOND,
            inflated: 16 << 20,
        }
    }
}

//! What is known of a connection while it is read: its ends, where its streams begin, what its record needs.

use crate::packet::Endpoint;
use crate::sightings::Sightings;
use crate::stream::Side;

/// The connection that a dissector works on.
#[derive(Clone, Debug)]
pub struct Conn {
    /// The connection record's id.
    pub id: u64,
    /// Who asks.
    pub client: Endpoint,
    /// Who answers.
    pub server: Endpoint,
    /// Whether it is TCP; otherwise it is UDP.
    pub tcp: bool,
    /// The absolute sequence number at stream offset 0, by [`Side`].
    pub seq_base: [u32; 2],
    /// Whether the connection was joined after its handshake, so that its first bytes may be missing.
    pub midstream: bool,
    /// TLS server name, for the connection record.
    pub sni: Option<String>,
    /// TLS application protocol, for the connection record.
    pub alpn: Option<String>,
    /// Exchanges put out so far.
    pub exchanges: u32,
    /// Stream offset behind the newest repeated segment, by [`Side`].
    pub retransmitted_to: [u64; 2],
    /// Where its packets are seen.
    pub sightings: Sightings,
}

impl Conn {
    /// Whose machine captured it, as the `view` column has it.
    pub fn view(&self) -> &'static str {
        self.sightings.view(self.client, self.server)
    }

    /// The absolute TCP sequence number of a stream offset: half of the fingerprint of an exchange.
    pub fn seq(&self, side: Side, offset: u64) -> u32 {
        self.seq_base[side as usize].wrapping_add(offset as u32)
    }
}

//! What the decode stage saw and dropped.

macro_rules! counters {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// Counters of the decode stage.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counters { $($(#[doc = $doc])* pub $name: u64,)* }

        impl Counters {
            /// All, as (stage, name, value).
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> + use<> {
                [$(("decode", stringify!($name), self.$name)),*].into_iter()
            }
        }
    };
}

counters! {
    /// Packets. Each is counted once more below, in what became of it.
    packets,
    /// Bytes of them, on the wire.
    bytes,
    /// TCP segments.
    tcp,
    /// UDP datagrams.
    udp,
    /// Word that a packet could not be delivered.
    unreachable,
    /// Fragments that did not complete a datagram.
    fragments_held,
    /// Packets of a link type that is not known.
    other_link,
    /// Packets of network protocols that do not become records (ARP, LLDP ...).
    other_network,
    /// IP packets of protocols that do not become records (echo, SCTP, ESP ...).
    other_protocol,
    /// Packets with more headers around headers than are followed.
    too_deep,
    /// Packets that are not what they claim to be.
    malformed,
    /// Packets that the snap length cut within their headers.
    cut_headers,
    /// Segments and datagrams whose payload the snap length cut.
    cut_payloads,
    /// Bytes of payload cut from them.
    cut_bytes,
    /// Fragments that were dropped because the snap length cut them.
    cut_fragments,
    /// Tunnel headers taken off.
    tunnels,
}

//! Counters: what every stage saw, made and dropped, since the start.

macro_rules! counters {
    ($($(#[doc = $doc:literal])* $id:ident = $stage:literal . $name:literal,)*) => {
        /// The counters of the engine.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Counter { $($(#[doc = $doc])* $id,)* }

        const NAMES: &[(&str, &str)] = &[$(($stage, $name),)*];
    };
}

counters! {
    /// Segments, retransmissions included.
    Segments = "stream"."segments",
    /// Segments that brought nothing new.
    Retransmitted = "stream"."retransmitted",
    /// Keep-alive and zero-window probes.
    Probes = "stream"."probes",
    /// Segments that came before what precedes them.
    OutOfOrder = "stream"."out_of_order",
    /// Holes that were given up.
    Gaps = "stream"."gaps",
    /// Bytes in those holes.
    GapBytes = "stream"."gap_bytes",
    /// Segments out of order dropped at the bound.
    ReorderDropped = "stream"."reorder_bytes_dropped",
    /// Segments whose sequence number cannot belong to their connection.
    OutOfWindow = "stream"."out_of_window",
    /// Times that unconsumed bytes reached their bound.
    Unconsumed = "stream"."unconsumed_dropped",
    /// TCP connections seen.
    Connections = "flow"."tcp",
    /// UDP flows seen.
    UdpFlows = "flow"."udp",
    /// Datagrams.
    Datagrams = "flow"."datagrams",
    /// Packets seen at another interface before.
    Copies = "flow"."copies",
    /// Flows that were given up to make room.
    Evicted = "flow"."evicted",
    /// Bytes of connections of no known protocol.
    UnknownBytes = "protocol"."unknown_bytes",
    /// Bytes skipped to find the next message boundary.
    Skipped = "protocol"."skipped_bytes",
    /// Connections whose dissector gave up on them.
    Rejected = "protocol"."rejected",
    /// Messages that break their protocol's rules.
    Malformed = "protocol"."malformed",
    /// Requests dropped because too many were pending.
    PendingDropped = "protocol"."pending_dropped",
    /// Responses whose request is not known, though the capture had begun.
    Unpaired = "protocol"."unpaired",
    /// Responses to requests that were sent before the capture began.
    BegunBefore = "protocol"."begun_before",
    /// Heads and trailers of HTTP/2 with fields that refer to what was sent before the capture began, or was lost.
    UnknownFields = "protocol"."unknown_fields",
    /// Headers beyond the limit.
    HeadersDropped = "protocol"."headers_dropped",
    /// Packets of connections that were left out to keep within a budget.
    ShedPackets = "shed"."packets",
    /// Those connections, if data passed.
    ShedConnections = "shed"."connections",
    /// The exchanges that they would have given: turns of their conversations.
    ShedExchanges = "shed"."exchanges",
    /// Exchanges, first revisions only.
    Exchanges = "output"."exchanges",
    /// Messages.
    Messages = "output"."messages",
    /// Values replaced by marks: fields that held at least one.
    Redacted = "output"."redacted",
    /// Bodies cut at the limit.
    BodiesCut = "output"."bodies_cut",
    /// Bodies left out because their coding could not be undone.
    Undecodable = "output"."undecodable",
}

/// Their values.
pub struct Counters {
    values: [u64; NAMES.len()],
}

impl Default for Counters {
    fn default() -> Self {
        Self { values: [0; NAMES.len()] }
    }
}

impl Counters {
    /// Adds to one.
    #[inline]
    pub fn add(&mut self, counter: Counter, n: u64) {
        self.values[counter as usize] += n;
    }

    /// The value of one.
    pub fn get(&self, counter: Counter) -> u64 {
        self.values[counter as usize]
    }

    /// All, as (stage, name, value).
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> + '_ {
        NAMES.iter().zip(&self.values).map(|(&(stage, name), &value)| (stage, name, value))
    }
}

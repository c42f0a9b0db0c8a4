//! A conversation as packets of which the capture missed some, and saw some twice or late.

use proptest::prelude::*;

use super::records::Records;
use crate::config::{Config, MILLISECOND};
use crate::packet::{Endpoint, LinkType, Nanos, Packet, Segment, Sight};
use crate::pipeline::Pipeline;

/// Packets, and when each passed.
pub type Tape = Vec<(Nanos, Vec<u8>)>;

/// Packets of the handshake, which stay: without them either end may be the client.
const HANDSHAKE: usize = 2;

/// What becomes of a packet.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    Seen,
    Lost,
    /// So much later.
    Late(Nanos),
    /// And again so much later: sent again, or captured at two places.
    Twice(Nanos),
}

/// Fates of packets, most of which are just seen.
pub fn any_fates() -> impl Strategy<Value = Vec<Fate>> {
    let delay = prop_oneof![
        1 => Just(0),
        4 => (1..40i64).prop_map(|ms| ms * MILLISECOND + 7),
        1 => (40..600i64).prop_map(|ms| ms * MILLISECOND),
    ];
    let fate = (0u8..10, delay).prop_map(|(kind, delay)| match kind {
        0 => Fate::Lost,
        1 | 2 => Fate::Twice(delay),
        3 | 4 => Fate::Late(delay),
        _ => Fate::Seen,
    });
    let share = prop::sample::select(vec![0.02, 0.1, 0.4, 1.0]);
    let any_fate = move |share| (prop::bool::weighted(share), fate.clone());
    share.prop_flat_map(move |share| {
        let choose = |(disturbed, fate)| if disturbed { fate } else { Fate::Seen };
        prop::collection::vec(any_fate(share).prop_map(choose), 20..200)
    })
}

/// What the whole pipeline makes of a tape when its packets have these fates, by turns.
pub fn captured(tape: Tape, fates: &[Fate]) -> Records {
    let fates = std::iter::repeat_n(&Fate::Seen, HANDSHAKE).chain(fates.iter().cycle());
    let mut seen = Tape::new();
    for ((time, data), fate) in tape.into_iter().zip(fates) {
        match fate {
            Fate::Lost => continue,
            Fate::Late(delay) => seen.push((time + delay, data)),
            Fate::Seen => seen.push((time, data)),
            Fate::Twice(delay) => seen.extend([(time, data.clone()), (time + delay, data)]),
        }
    }
    seen.sort_by_key(|(time, _)| *time);
    let mut pipeline = Pipeline::new(Config { redact_key: None, ..Config::default() });
    for (time, data) in &seen {
        let wire_len = data.len() as u32;
        let (link, sight) = (LinkType::RAW, Sight::default());
        pipeline.packet(&Packet { time: *time, data, wire_len, link, sight, vlan: None });
    }
    pipeline.end();
    Records::of(pipeline.take()).newest()
}

/// A segment as it is on the wire, behind an IPv4 header.
pub fn packet(segment: &Segment<'_>) -> Vec<u8> {
    let address = |end: Endpoint| (end.addr.0 as u32).to_be_bytes();
    let mut made = vec![0x45, 0];
    made.extend((40 + segment.payload.len() as u16).to_be_bytes());
    made.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
    made.extend([address(segment.src), address(segment.dst)].concat());
    made.extend([segment.src.port.to_be_bytes(), segment.dst.port.to_be_bytes()].concat());
    made.extend([segment.seq.to_be_bytes(), segment.ack.to_be_bytes()].concat());
    made.extend([0x50, segment.flags]);
    made.extend(segment.window.to_be_bytes());
    made.extend([0; 4]);
    made.extend(segment.payload);
    made
}

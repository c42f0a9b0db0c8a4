//! Any bytes as packets: each becomes something and is counted once.
//!
//! The input is a list of packets: link type (2 bytes), captured length (2), bytes cut off (1), the bytes.
#![no_main]

use _engine::decode::Decoder;
use _engine::packet::{Decoded, LinkType, Packet, Sight};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut decoder = Decoder::default();
    let mut rest = data;
    let mut time = 0;
    let mut packets = 0;
    while let Some((&[link_high, link_low, high, low, cut], tail)) = rest.split_first_chunk() {
        let len = usize::from(u16::from_be_bytes([high, low])).min(tail.len());
        let (data, tail) = tail.split_at(len);
        rest = tail;
        time += 1_000_000_000;
        packets += 1;
        let link = LinkType(u16::from_be_bytes([link_high, link_low]));
        let wire_len = (len + usize::from(cut)) as u32;
        let payload = match decoder.decode(&Packet { time, data, wire_len, link, sight: Sight::default(), vlan: None }) {
            Decoded::Tcp(segment) => segment.payload,
            Decoded::Udp(datagram) => datagram.payload,
            _ => &[],
        };
        assert!(payload.len() <= usize::from(u16::MAX));
    }
    let ends = [
        "tcp",
        "udp",
        "unreachable",
        "fragments_held",
        "other_link",
        "other_network",
        "other_protocol",
        "too_deep",
        "malformed",
        "cut_headers",
    ];
    let counted = decoder.counters().filter(|(stage, name, _)| *stage == "decode" && ends.contains(name));
    assert_eq!(counted.map(|(_, _, value)| value).sum::<u64>(), packets);
});

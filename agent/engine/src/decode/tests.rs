//! Given these bytes, this is what they are.

use std::fmt::Write;

use proptest::prelude::*;

use super::Decoder;
use super::ip::number;
use crate::packet::{Decoded, LinkType, Packet, Sight, flags};

const ETHERNET: LinkType = LinkType::ETHERNET;

/// Headers from the inside out: `eth(0x0800, ip4(6, tcp(b"hi")))`.
mod build {
    pub fn eth(kind: u16, inner: Vec<u8>) -> Vec<u8> {
        [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2][..], &kind.to_be_bytes(), &inner].concat()
    }

    pub fn vlan(kind: u16, inner: Vec<u8>) -> Vec<u8> {
        [&[0, 100][..], &kind.to_be_bytes(), &inner].concat()
    }

    pub fn ip4(protocol: u8, inner: Vec<u8>) -> Vec<u8> {
        fragment4(protocol, 0, 0, inner)
    }

    /// `field`: more-fragments flag and offset in units of 8 bytes.
    pub fn fragment4(protocol: u8, id: u16, field: u16, inner: Vec<u8>) -> Vec<u8> {
        let len = (20 + inner.len()) as u16;
        let (len, id, field) = (len.to_be_bytes(), id.to_be_bytes(), field.to_be_bytes());
        let head = [0x45, 0, len[0], len[1], id[0], id[1], field[0], field[1], 64, protocol, 0, 0];
        [&head[..], &[10, 0, 0, 1], &[10, 0, 0, 2], &inner].concat()
    }

    pub fn ip6(next: u8, inner: Vec<u8>) -> Vec<u8> {
        let len = (inner.len() as u16).to_be_bytes();
        let mut addrs = [0; 32];
        (addrs[0], addrs[15], addrs[16], addrs[31]) = (0xfd, 1, 0xfd, 2);
        [&[0x60, 0, 0, 0, len[0], len[1], next, 64][..], &addrs, &inner].concat()
    }

    pub fn tcp(payload: &[u8]) -> Vec<u8> {
        let mut head = [0; 20];
        head[..2].copy_from_slice(&4000u16.to_be_bytes());
        head[2..4].copy_from_slice(&80u16.to_be_bytes());
        (head[7], head[11], head[12], head[13], head[15]) = (100, 200, 5 << 4, 0x18, 64);
        [&head[..], payload].concat()
    }

    pub fn udp(dst: u16, payload: &[u8]) -> Vec<u8> {
        let (dst, len) = (dst.to_be_bytes(), ((8 + payload.len()) as u16).to_be_bytes());
        [&[15, 160, dst[0], dst[1], len[0], len[1], 0, 0][..], payload].concat()
    }

    pub fn vxlan(inner: &[u8]) -> Vec<u8> {
        udp(8472, &[&[8, 0, 0, 0, 0, 0, 1, 0][..], inner].concat())
    }
}
use build::{eth, fragment4, ip4, ip6, tcp, udp, vlan, vxlan};

fn packet(link: LinkType, data: &[u8]) -> Packet<'_> {
    Packet { time: 0, data, wire_len: data.len() as u32, link, sight: Sight::default(), vlan: None }
}

/// What a packet was decoded to, in a line.
fn line(decoded: &Decoded<'_>) -> String {
    let mut line = String::new();
    let (payload, cut) = match decoded {
        Decoded::Tcp(s) => {
            let flags: String = [(flags::SYN, 'S'), (flags::FIN, 'F'), (flags::RST, 'R'), (flags::ACK, 'A')]
                .iter()
                .filter(|(bit, _)| s.flags & bit != 0)
                .map(|(_, letter)| letter)
                .collect();
            write!(line, "tcp {:?} > {:?} {flags} seq {} ack {} win {}", s.src, s.dst, s.seq, s.ack, s.window).unwrap();
            (s.payload, s.cut)
        }
        Decoded::Udp(d) => {
            write!(line, "udp {:?} > {:?}", d.src, d.dst).unwrap();
            (d.payload, d.cut)
        }
        Decoded::Unreachable(u) => return format!("{} for {} {:?} > {:?}", u.reason, u.protocol, u.src, u.dst),
        other => return format!("{other:?}"),
    };
    write!(line, " {:?}", String::from_utf8_lossy(payload)).unwrap();
    if cut > 0 {
        write!(line, " and {cut} cut").unwrap();
    }
    line
}

fn decode(packet: &Packet<'_>) -> String {
    line(&Decoder::default().decode(packet))
}

fn counter(decoder: &Decoder, name: &str) -> u64 {
    let (_, _, value) = decoder.counters().find(|(_, found, _)| *found == name).unwrap();
    value
}

const TCP4: &str = r#"tcp 10.0.0.1:4000 > 10.0.0.2:80 A seq 100 ack 200 win 64 "hi""#;
const TCP6: &str = r#"tcp fd00::1:4000 > fd00::2:80 A seq 100 ack 200 win 64 "hi""#;
const UDP4: &str = r#"udp 10.0.0.1:4000 > 10.0.0.2:53 "hi""#;

#[test]
fn link_layers_lead_to_ip() {
    let v4 = || ip4(number::TCP, tcp(b"hi"));
    let v6 = || ip6(number::TCP, tcp(b"hi"));
    let after = |head: &[u8], inner: Vec<u8>| [head, &inner].concat();
    let sll = [0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x08, 0x00];
    let sll2 = [0x86, 0xdd, 0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0];
    let table = [
        ("ethernet", ETHERNET, eth(0x0800, v4()), TCP4),
        ("ethernet, padded", ETHERNET, [eth(0x0800, v4()), vec![0; 6]].concat(), TCP4),
        ("vlan", ETHERNET, eth(0x8100, vlan(0x86dd, v6())), TCP6),
        ("qinq", ETHERNET, eth(0x88a8, vlan(0x8100, vlan(0x0800, v4()))), TCP4),
        ("old qinq", ETHERNET, eth(0x9100, vlan(0x8100, vlan(0x0800, v4()))), TCP4),
        ("sll", LinkType::LINUX_SLL, after(&sll, v4()), TCP4),
        ("sll2", LinkType::LINUX_SLL2, after(&sll2, v6()), TCP6),
        ("raw v4", LinkType::RAW, v4(), TCP4),
        ("raw v6", LinkType::RAW_DLT, v6(), TCP6),
        ("ipv4", LinkType::IPV4, v4(), TCP4),
        ("ipv6", LinkType::IPV6, v6(), TCP6),
        ("null, little-endian", LinkType::NULL, after(&[2, 0, 0, 0], v4()), TCP4),
        ("null, big-endian", LinkType::NULL, after(&[0, 0, 0, 30], v6()), TCP6),
        ("loop", LinkType::LOOP, after(&[0, 0, 0, 24], v6()), TCP6),
        ("arp", ETHERNET, eth(0x0806, vec![0; 28]), "Other"),
        ("802.3 frame", ETHERNET, eth(38, vec![0x42; 38]), "Other"),
        ("usb", LinkType(220), vec![0; 64], "Other"),
        ("raw, neither 4 nor 6", LinkType::RAW, vec![0x75; 40], "Malformed"),
        ("nothing", ETHERNET, vec![], "Malformed"),
    ];
    for (name, link, bytes, expected) in table {
        assert_eq!(decode(&packet(link, &bytes)), expected, "{name}");
    }
}

#[test]
fn ip_headers_lead_to_the_payload() {
    let hop_by_hop = |next| vec![next, 0, 1, 4, 0, 0, 0, 0];
    let routing = |next| [vec![next, 2, 4, 0], vec![0; 20]].concat();
    let authentication = |next| [vec![next, 4, 0, 0], vec![0; 20]].concat();
    let with = |head: Vec<u8>| [head, tcp(b"hi")].concat();
    let options = {
        let mut bytes = ip4(number::TCP, [vec![1; 8], tcp(b"hi")].concat());
        bytes[0] = 0x47;
        bytes
    };
    // What is sent in one large piece and split by the network card has no length that would fit.
    let unwritten_length = |mut bytes: Vec<u8>, at: usize| {
        bytes[at..at + 2].fill(0);
        bytes
    };
    let table = [
        ("options", options, TCP4),
        ("no length in IPv4", unwritten_length(ip4(number::TCP, tcp(b"hi")), 2), TCP4),
        ("no length in IPv6", unwritten_length(ip6(number::TCP, tcp(b"hi")), 4), TCP6),
        ("no length in UDP", ip4(number::UDP, unwritten_length(udp(53, b"hi"), 4)), UDP4),
        ("hop by hop", ip6(0, with(hop_by_hop(6))), TCP6),
        ("several", ip6(0, [hop_by_hop(43), routing(60), with(hop_by_hop(6))].concat()), TCP6),
        ("authentication", ip6(51, with(authentication(6))), TCP6),
        ("atomic fragment", ip6(44, with(vec![6, 0, 0, 0, 0, 0, 0, 7])), TCP6),
        ("no next header", ip6(59, vec![]), "Other"),
        ("extension header not whole", ip6(0, vec![6, 9, 0, 0, 0, 0, 0, 0]), "Malformed"),
        ("echo", ip4(1, vec![8, 0, 0, 0, 0, 0, 0, 0]), "Other"),
        ("sctp", ip4(132, vec![0; 12]), "Other"),
        (
            "TCP header longer than the packet",
            ip4(6, {
                let mut b = tcp(b"");
                b[12] = 0xf0;
                b
            }),
            "Malformed",
        ),
        (
            "TCP header too short",
            ip4(6, {
                let mut b = tcp(b"hi");
                b[12] = 0x40;
                b
            }),
            "Malformed",
        ),
        (
            "UDP length beyond the packet",
            ip4(17, {
                let mut b = udp(53, b"hi");
                b[5] = 11;
                b
            }),
            "Malformed",
        ),
        ("UDP with padding", ip4(17, [udp(53, b"hi"), vec![0; 4]].concat()), UDP4),
        (
            "IP length shorter than its header",
            {
                let mut b = ip4(6, tcp(b""));
                b[3] = 19;
                b
            },
            "Malformed",
        ),
    ];
    for (name, bytes, expected) in table {
        assert_eq!(decode(&packet(LinkType::RAW, &bytes)), expected, "{name}");
    }
}

#[test]
fn tunnels_are_taken_off() {
    let inner = || ip4(number::TCP, tcp(b"hi"));
    let frame = || eth(0x0800, inner());
    let gre = |flags: u8, options: usize, kind: u16, inner: Vec<u8>| {
        [vec![flags, 0], kind.to_be_bytes().to_vec(), vec![0; 4 * options], inner].concat()
    };
    let geneve = |options: u8, kind: u16, inner: Vec<u8>| {
        let head = [&[options, 0][..], &kind.to_be_bytes(), &[0, 0, 1, 0], &vec![0; 4 * usize::from(options)]].concat();
        udp(6081, &[head, inner].concat())
    };
    let table = [
        ("IPIP", ip4(4, inner()), TCP4),
        ("6in4", ip4(41, ip6(6, tcp(b"hi"))), TCP6),
        ("4in6", ip6(4, inner()), TCP4),
        ("GRE", ip4(47, gre(0, 0, 0x0800, inner())), TCP4),
        ("GRE, key and checksum", ip4(47, gre(0xa0, 2, 0x0800, inner())), TCP4),
        ("GRE, all options, a frame", ip6(47, gre(0xb0, 3, 0x6558, frame())), TCP4),
        ("PPTP", ip4(47, vec![0x30, 1, 0x88, 0x0b, 0, 0, 0, 0]), "Other"),
        ("VXLAN", ip4(17, vxlan(&frame())), TCP4),
        ("VXLAN with a policy group", ip4(17, udp(4789, &[&[0x88, 0, 0, 7, 0, 0, 1, 0], &frame()[..]].concat())), TCP4),
        ("VXLAN over IPv6", ip6(17, vxlan(&eth(0x8100, vlan(0x0800, inner())))), TCP4),
        ("VXLAN with ARP", ip4(17, vxlan(&eth(0x0806, vec![0; 28]))), "Other"),
        ("Geneve with a frame", ip4(17, geneve(2, 0x6558, frame())), TCP4),
        ("Geneve with a packet", ip4(17, geneve(0, 0x0800, inner())), TCP4),
        ("only the port of VXLAN", ip4(17, udp(4789, b"hi")), r#"udp 10.0.0.1:4000 > 10.0.0.2:4789 "hi""#),
        ("two overlays", ip4(17, vxlan(&eth(0x0800, ip4(4, inner())))), TCP4),
    ];
    for (name, bytes, expected) in table {
        assert_eq!(decode(&packet(LinkType::RAW, &bytes)), expected, "{name}");
    }
    let endless = (0..30).fold(inner(), |inner, _| ip4(4, inner));
    let mut decoder = Decoder::default();
    assert_eq!(line(&decoder.decode(&packet(LinkType::RAW, &endless))), "Other");
    assert_eq!(counter(&decoder, "too_deep"), 1);
}

#[test]
fn undelivered_packets_are_told() {
    let icmp = |kind, code, quoted: &[u8]| [&[kind, code, 0, 0, 0, 0, 0, 0], quoted].concat();
    let (tcp4, tcp6) = (ip4(6, tcp(b"")), ip6(6, tcp(b"")));
    let later_fragment = fragment4(6, 1, 100, tcp(b""));
    let table = [
        (
            "port",
            ip4(1, icmp(3, 3, &ip4(17, udp(53, b"hi"))[..28])),
            "port unreachable for 17 10.0.0.1:4000 > 10.0.0.2:53",
        ),
        ("policy", ip4(1, icmp(3, 13, &tcp4[..28])), "administratively prohibited for 6 10.0.0.1:4000 > 10.0.0.2:80"),
        ("no route", ip6(58, icmp(1, 0, &tcp6)), "no route to destination for 6 fd00::1:4000 > fd00::2:80"),
        ("fragmentation needed", ip4(1, icmp(3, 4, &tcp4)), "Other"),
        ("ping undelivered", ip4(1, icmp(3, 1, &ip4(1, vec![8; 8]))), "Other"),
        ("fragment undelivered", ip4(1, icmp(3, 1, &later_fragment)), "Other"),
        ("neighbour discovery", ip6(58, icmp(135, 0, &[0; 16])), "Other"),
        ("quoted too little", ip4(1, icmp(3, 3, &tcp4[..20])), "Malformed"),
    ];
    for (name, bytes, expected) in table {
        assert_eq!(decode(&packet(LinkType::RAW, &bytes)), expected, "{name}");
    }
}

#[test]
fn a_cut_packet_says_how_much_is_missing() {
    let bytes = eth(0x0800, ip4(number::TCP, tcp(b"hello world")));
    let cut = |len: usize| decode(&Packet { data: &bytes[..len], ..packet(ETHERNET, &bytes) });
    assert!(cut(58).ends_with(r#""hell" and 7 cut"#), "{}", cut(58));
    assert!(cut(54).ends_with(r#""" and 11 cut"#));
    assert_eq!(cut(53), "Malformed");

    // 64 bytes, as `tcpdump -s 64` leaves them, end within the time stamp option of most segments.
    let mut segment = tcp(&[&[1; 12][..], b"hello"].concat());
    segment[12] = 8 << 4;
    let bytes = eth(0x0800, ip4(number::TCP, segment));
    assert!(decode(&Packet { data: &bytes[..64], ..packet(ETHERNET, &bytes) }).ends_with(r#""" and 5 cut"#));
}

#[test]
fn fragments_are_put_together_within_tunnels_too() {
    let datagram = udp(53, &[b'x'; 40]);
    let (first, last) = datagram.split_at(24);
    let mut decoder = Decoder::default();
    let mut feed = |bytes: Vec<u8>| line(&decoder.decode(&packet(LinkType::RAW, &bytes)));
    let whole = format!("udp 10.0.0.1:4000 > 10.0.0.2:53 {:?}", "x".repeat(40));

    assert_eq!(feed(fragment4(17, 7, 3, last.to_vec())), "Fragment");
    assert_eq!(feed(fragment4(17, 7, 0x2000, first.to_vec())), whole);

    let fragment6 =
        |offset: u8, more: u8, bytes: &[u8]| ip6(44, [&[60, 0, 0, offset << 3 | more, 0, 0, 0, 9][..], bytes].concat());
    let with_options = [&[17, 0, 1, 4, 0, 0, 0, 0][..], &datagram].concat();
    assert_eq!(feed(fragment6(0, 1, &with_options[..32])), "Fragment");
    assert_eq!(feed(fragment6(4, 0, &with_options[32..])), whole.replace("10.0.0.", "fd00::"));

    // An overlay that fragments packets which are themselves fragments.
    let inner_first = vxlan(&eth(0x0800, fragment4(17, 8, 0x2000, first.to_vec())));
    let inner_last = vxlan(&eth(0x0800, fragment4(17, 8, 3, last.to_vec())));
    assert_eq!(feed(fragment4(17, 9, 0x2000, inner_first[..48].to_vec())), "Fragment");
    assert_eq!(feed(fragment4(17, 9, 6, inner_first[48..].to_vec())), "Fragment");
    assert_eq!(feed(fragment4(17, 10, 0x2000, inner_last[..48].to_vec())), "Fragment");
    assert_eq!(feed(fragment4(17, 10, 6, inner_last[48..].to_vec())), whole);

    assert_eq!(counter(&decoder, "reassembled"), 5);
    assert_eq!(counter(&decoder, "fragments_held"), 5);
    assert_eq!(counter(&decoder, "udp"), 3);
}

/// A packet of any shape that the stage knows.
fn any_packet() -> impl Strategy<Value = Vec<u8>> {
    let payload = proptest::collection::vec(any::<u8>(), 0..64);
    let transport = (payload, any::<bool>()).prop_map(|(payload, is_tcp)| {
        if is_tcp { (number::TCP, tcp(&payload)) } else { (number::UDP, udp(53, &payload)) }
    });
    let network = (transport, 0..5).prop_map(|((number, bytes), shape)| match shape {
        0 => (0x0800, ip4(number, bytes)),
        1 => (0x86dd, ip6(number, bytes)),
        2 => (0x86dd, ip6(60, [vec![number, 0, 1, 4, 0, 0, 0, 0], bytes].concat())),
        3 => (0x0800, ip4(41, ip6(number, bytes))),
        _ => (0x0800, ip4(17, vxlan(&eth(0x0800, ip4(number, bytes))))),
    });
    (network, any::<bool>()).prop_map(
        |((kind, bytes), tagged)| {
            if tagged { eth(0x8100, vlan(kind, bytes)) } else { eth(kind, bytes) }
        },
    )
}

fn payload_and_cut(decoded: &Decoded<'_>) -> Option<(Vec<u8>, u32)> {
    match decoded {
        Decoded::Tcp(segment) => Some((segment.payload.to_vec(), segment.cut)),
        Decoded::Udp(datagram) => Some((datagram.payload.to_vec(), datagram.cut)),
        _ => None,
    }
}

proptest! {
    #[test]
    fn no_bytes_break_it(
        link in prop::sample::select(vec![0, 1, 12, 101, 108, 113, 228, 229, 276, 147]),
        packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..96), 1..8),
    ) {
        let mut decoder = Decoder::default();
        for bytes in &packets {
            decoder.decode(&packet(LinkType(link), bytes));
        }
        let of = |name: &str| counter(&decoder, name);
        let known = ["tcp", "udp", "unreachable", "fragments_held", "other_link", "other_network", "other_protocol",
            "too_deep", "malformed", "cut_headers"];
        // "malformed" is a counter of the fragment stage too; the first is meant.
        prop_assert_eq!(known.iter().map(|name| of(name)).sum::<u64>(), packets.len() as u64);
    }

    #[test]
    fn a_damaged_packet_breaks_nothing(bytes in any_packet(), at in any::<prop::sample::Index>(), with in any::<u8>()) {
        let mut bytes = bytes;
        let at = at.index(bytes.len());
        bytes[at] = with;
        Decoder::default().decode(&packet(ETHERNET, &bytes));
    }

    #[test]
    fn a_cut_is_told_or_refused(bytes in any_packet(), at in any::<prop::sample::Index>()) {
        let mut decoder = Decoder::default();
        let (payload, _) = payload_and_cut(&decoder.decode(&packet(ETHERNET, &bytes))).unwrap();
        let data = &bytes[..at.index(bytes.len())];
        match decoder.decode(&Packet { data, ..packet(ETHERNET, &bytes) }) {
            Decoded::Malformed => prop_assert_eq!(counter(&decoder, "cut_headers"), 1),
            // A tunnel cut within its header is the datagram that it is.
            Decoded::Udp(datagram) if datagram.dst.port == 8472 => prop_assert!(datagram.cut > 0),
            decoded => {
                let (kept, cut) = payload_and_cut(&decoded).unwrap();
                prop_assert_eq!(kept.len() + cut as usize, payload.len());
                prop_assert!(payload.starts_with(&kept));
            }
        }
    }
}

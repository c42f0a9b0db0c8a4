//! Programs run over packets by an interpreter of what they use of classic BPF (Linux checks the rest when they are
//! set, which tests/engine/test_live.py does).

use std::net::SocketAddr;

use super::*;

const WHOLE: u32 = 1000;

/// A packet as the kernel has it.
struct Frame {
    hardware: u32,
    packet_type: u32,
    protocol: u16,
    bytes: Vec<u8>,
    network: usize,
}

fn run(program: &[Instruction], frame: &Frame) -> u32 {
    let (mut a, mut x, mut cells, mut at) = (0u32, 0u32, [0u32; 16], 0usize);
    loop {
        let i = program[at];
        at += 1;
        let load = |offset: u32, size: usize| -> Option<u32> {
            let from = match offset.wrapping_sub(place::NETWORK) {
                from if (offset as i32) < 0 => from as usize + frame.network,
                _ => offset as usize,
            };
            Some(frame.bytes.get(from..from + size)?.iter().fold(0, |n, &b| n << 8 | u32::from(b)))
        };
        let loaded = match i.code {
            op::LD_WORD if i.k == place::PROTOCOL => Some(u32::from(frame.protocol)),
            op::LD_WORD if i.k == place::PACKET_TYPE => Some(frame.packet_type),
            op::LD_WORD if i.k == place::HARDWARE => Some(frame.hardware),
            op::LD_IMM => Some(i.k),
            op::LD_HALF => load(i.k, 2),
            op::LD_WORD_X => load(i.k.wrapping_add(x), 4),
            op::LD_HALF_X => load(i.k.wrapping_add(x), 2),
            op::LD_BYTE_X => load(i.k.wrapping_add(x), 1),
            op::LD_MEM => Some(cells[i.k as usize]),
            op::ADD_X => Some(a.wrapping_add(x)),
            op::AND => Some(a & i.k),
            op::LSH => Some(a << i.k),
            _ => Some(a),
        };
        match loaded {
            Some(value) => a = value,
            None => return 0, // a read behind the end rejects
        }
        match i.code {
            op::LDX_IMM => x = i.k,
            op::TAX => x = a,
            op::ST => cells[i.k as usize] = a,
            op::JA => at += i.k as usize,
            op::JEQ => at += usize::from(if a == i.k { i.jt } else { i.jf }),
            op::JSET => at += usize::from(if a & i.k != 0 { i.jt } else { i.jf }),
            op::RET => return i.k,
            _ => {}
        }
    }
}

fn v4(source: &str, target: &str, protocol: u8, words: usize) -> Vec<u8> {
    let (source, target): (SocketAddr, SocketAddr) = (source.parse().unwrap(), target.parse().unwrap());
    let (IpAddr::V4(from), IpAddr::V4(to)) = (source.ip(), target.ip()) else { panic!() };
    let mut bytes = vec![0; words * 4];
    bytes[0] = 0x40 | words as u8;
    bytes[9] = protocol;
    bytes[12..16].copy_from_slice(&from.octets());
    bytes[16..20].copy_from_slice(&to.octets());
    bytes.extend([source.port().to_be_bytes(), target.port().to_be_bytes()].concat());
    bytes
}

fn v6(source: &str, target: &str, next: u8) -> Vec<u8> {
    let (source, target): (SocketAddr, SocketAddr) = (source.parse().unwrap(), target.parse().unwrap());
    let (IpAddr::V6(from), IpAddr::V6(to)) = (source.ip(), target.ip()) else { panic!() };
    let mut bytes = vec![0x60, 0, 0, 0, 0, 20, next, 64];
    bytes.extend(from.octets());
    bytes.extend(to.octets());
    bytes.extend([source.port().to_be_bytes(), target.port().to_be_bytes()].concat());
    bytes
}

fn ethernet(tags: &[u16], packet: &[u8]) -> Frame {
    let kind: u16 = if packet[0] >> 4 == 4 { 0x0800 } else { 0x86dd };
    let mut bytes = vec![2; 12];
    for tag in tags {
        bytes.extend([tag.to_be_bytes(), 7u16.to_be_bytes()].concat());
    }
    bytes.extend(kind.to_be_bytes());
    let network = bytes.len();
    bytes.extend(packet);
    Frame { hardware: 1, packet_type: 0, protocol: *tags.first().unwrap_or(&kind), bytes, network }
}

fn wanted(exclude: &[&str], ports: &[u16]) -> Vec<Instruction> {
    let exclude = exclude.iter().map(|end| end.parse().unwrap()).collect();
    program(&Wanted { exclude, ports: ports.to_vec() }, WHOLE)
}

/// A packet in all frames that it may come in.
fn everywhere(packet: &[u8]) -> Vec<Frame> {
    let plain = ethernet(&[], packet);
    // A tunnel device has no link header, or one that only the kernel knows.
    let other = |header: &[u8]| {
        let bytes = [header, packet].concat();
        Frame { hardware: 65_534, packet_type: 0, protocol: plain.protocol, bytes, network: header.len() }
    };
    let (raw, odd_header) = (other(&[]), other(&[9; 6]));
    let received = Frame { hardware: LOOPBACK, ..ethernet(&[], packet) };
    vec![plain, ethernet(&[0x8100], packet), ethernet(&[0x88a8, 0x8100], packet), raw, odd_header, received]
}

#[test]
fn everything_of_ip_passes_whole() {
    let program = wanted(&[], &[]);
    let packets = [v4("1.2.3.4:5", "6.7.8.9:80", 6, 5), v6("[fd00::1]:5", "[fd00::2]:80", 17)];
    for frame in packets.iter().flat_map(|packet| everywhere(packet)) {
        assert_eq!(run(&program, &frame), WHOLE);
    }
    let icmp = v4("1.2.3.4:0", "6.7.8.9:0", 1, 5);
    assert_eq!(run(&program, &ethernet(&[], &icmp)), WHOLE);
    let sctp = v4("1.2.3.4:5", "6.7.8.9:80", 132, 5);
    assert_eq!(run(&program, &ethernet(&[], &sctp)), 0);
}

#[test]
fn other_than_ip_does_not_pass() {
    let mut arp = ethernet(&[], &v4("1.2.3.4:5", "6.7.8.9:80", 6, 5));
    arp.bytes[12..14].copy_from_slice(&[0x08, 0x06]);
    assert_eq!(run(&wanted(&[], &[]), &arp), 0);
}

#[test]
fn loopback_passes_once() {
    let packet = v4("127.0.0.1:5", "127.0.0.1:80", 6, 5);
    let received = Frame { hardware: LOOPBACK, ..ethernet(&[], &packet) };
    let sent = Frame { hardware: LOOPBACK, packet_type: 4, ..ethernet(&[], &packet) };
    let sent_elsewhere = Frame { packet_type: 4, ..ethernet(&[], &packet) };
    let program = wanted(&[], &[]);
    assert_eq!(run(&program, &received), WHOLE);
    assert_eq!(run(&program, &sent), 0);
    assert_eq!(run(&program, &sent_elsewhere), WHOLE);
}

#[test]
fn our_own_ends_are_left_out_in_both_directions() {
    let program = wanted(&["10.0.0.9:8899", "[fd00::9]:8899", "10.0.0.8:1"], &[]);
    let ours = [
        v4("10.0.0.1:5", "10.0.0.9:8899", 6, 5),
        v4("10.0.0.9:8899", "10.0.0.1:5", 6, 5),
        v4("10.0.0.9:8899", "10.0.0.1:5", 6, 15), // with options
        v6("[fd00::9]:8899", "[fd00::1]:5", 6),
        v6("[fd00::1]:5", "[fd00::9]:8899", 6),
    ];
    for frame in ours.iter().flat_map(|packet| everywhere(packet)) {
        assert_eq!(run(&program, &frame), 0);
    }
    let others = [
        v4("10.0.0.1:8899", "10.0.0.9:5", 6, 5),
        v4("10.0.0.1:5", "10.0.0.9:8898", 6, 5),
        v4("10.0.0.1:5", "10.0.0.7:8899", 6, 5),
        v6("[fd00::1]:8899", "[fd00::9]:5", 6),
        v6("[fd00::1:9]:8899", "[fd00::2]:5", 6),
    ];
    for frame in others.iter().flat_map(|packet| everywhere(packet)) {
        assert_eq!(run(&program, &frame), WHOLE);
    }
}

#[test]
fn an_unspecified_address_stands_for_any() {
    let program = wanted(&["0.0.0.0:8899", "[::]:8899"], &[]);
    assert_eq!(run(&program, &ethernet(&[], &v4("1.1.1.1:1", "2.2.2.2:8899", 6, 5))), 0);
    assert_eq!(run(&program, &ethernet(&[], &v6("[fd00::1]:8899", "[fd00::2]:1", 6))), 0);
    assert_eq!(run(&program, &ethernet(&[], &v4("1.1.1.1:1", "2.2.2.2:80", 6, 5))), WHOLE);
}

#[test]
fn wanted_ports_and_what_may_hold_them_pass() {
    let program = wanted(&["10.0.0.9:80"], &[80, 443]);
    let pass = |packet: &[u8]| run(&program, &ethernet(&[], packet)) != 0;
    assert!(pass(&v4("1.1.1.1:80", "2.2.2.2:7", 6, 5)));
    assert!(pass(&v4("1.1.1.1:7", "2.2.2.2:443", 17, 5)));
    assert!(pass(&v6("[fd00::1]:443", "[fd00::2]:1", 6)));
    assert!(!pass(&v4("1.1.1.1:81", "2.2.2.2:7", 6, 5)));
    assert!(!pass(&v6("[fd00::1]:44", "[fd00::2]:1", 6)));
    assert!(!pass(&v4("1.1.1.1:7", "10.0.0.9:80", 6, 5)), "excluded goes before wanted");
    let mut fragment = v4("1.1.1.1:81", "2.2.2.2:7", 6, 5);
    fragment[6..8].copy_from_slice(&[0x20, 0x10]);
    assert!(pass(&fragment), "a fragment has no ports");
    fragment[6..8].copy_from_slice(&[0x20, 0x00]);
    assert!(!pass(&fragment), "but the first has");
    assert!(pass(&v4("1.1.1.1:7", "2.2.2.2:4789", 17, 5)), "VXLAN");
    assert!(pass(&v4("1.1.1.1:0", "2.2.2.2:0", 47, 5)), "GRE");
    assert!(pass(&v6("[fd00::1]:0", "[fd00::2]:0", 44)), "a fragment's ports are not where they would be");
}

/// An end costs more in IPv6 than in IPv4, a port the same in both: all mixtures of the most that is accepted.
#[test]
fn the_longest_program_fits_the_kernels_bound() {
    const BPF_MAXINSNS: usize = 4096;
    let ports: Vec<u16> = (0..MAX_ENTRIES as u16).collect();
    let longest = (0..=MAX_ENTRIES)
        .map(|v4_ends| {
            let end = |i: usize| match i < v4_ends {
                true => format!("10.0.0.{i}:{i}").parse().unwrap(),
                false => format!("[fd00::{i:x}]:{i}").parse().unwrap(),
            };
            let exclude = (0..MAX_ENTRIES).map(end).collect();
            program(&Wanted { exclude, ports: ports.clone() }, WHOLE).len()
        })
        .max();
    assert!(longest <= Some(BPF_MAXINSNS), "{longest:?}");
}

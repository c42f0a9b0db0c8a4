//! What each format says.

use super::*;
use crate::packet::{Addr, LinkType};

#[test]
fn every_format_gives_the_same_packets() {
    for (name, file) in every_format() {
        let (first, second) = file.split_at(50);
        let packed = [
            ("plain", file.clone()),
            ("gzip", gzip(&file)),
            ("gzip, several members", [gzip(first), gzip(second), gzip(b"")].concat()),
            ("zstd", zstd(&file)),
            ("zstd, several frames", [&[0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9], &*zstd(first), &zstd(second)].concat()),
        ];
        for (how, bytes) in packed {
            let all = read(bytes.clone());
            assert_eq!((all.packets, all.error), (two_packets(), None), "{name}, {how}");
            for size in [1, 7, 64] {
                let all = drip(bytes.clone(), size);
                assert_eq!((all.packets, all.error), (two_packets(), None), "{name}, {how}, {size} at a time");
                assert!(all.idle > 0);
            }
        }
    }
}

#[test]
fn sections_and_interfaces_are_counted_through() {
    let first = Build::new(false)
        .section()
        .interface(1, 0, &[])
        .interface(113, 0, &[])
        .packet(1, 7_000_000, 2, b"ab")
        // An unknown block, decryption secrets, statistics: passed over.
        .block(0x0bad, b"whatever")
        .block(10, b"TLSKsecret")
        .block(5, &[0; 12]);
    let second = Build::new(true).section().interface(276, 2, &[]).packet(0, 8_000_000, 2, b"cd");
    // Packets without a time of their own take the last one; their length is bounded by the snap length.
    let simple = second.block(3, &[&5u32.to_be_bytes()[..], b"ef"].concat());
    let all = read([first.bytes, simple.bytes].concat());
    assert_eq!(all.error, None);
    assert_eq!(
        all.packets,
        [
            (1, 113, 7 * SEC, b"ab".to_vec(), 2),
            (2, 276, 8 * SEC, b"cd".to_vec(), 2),
            (2, 276, 8 * SEC, b"ef".to_vec(), 5),
        ]
    );
}

#[test]
fn the_obsolete_packet_block_and_unpadded_lengths_are_read() {
    for big_endian in [false, true] {
        let file = Build::new(big_endian).section().interface(1, 0, &[]).interface(101, 0, &[]);
        let interface_and_drops = [file.u16(1), file.u16(9)].concat();
        let body = [&interface_and_drops, &file.words(&[0, 5_000_000, 2, 2])[..], b"ab"].concat();
        let mut file = file.block(2, &body);
        // The last block again, by a writer that forgets the padding in its length.
        let len = file.u32(12 + body.len() as u32);
        let again = [&file.u32(2)[..], &len, &body, &[0, 0], &len].concat();
        file.bytes.extend(again);
        let packet = (1, 101, 5 * SEC, b"ab".to_vec(), 2);
        assert_eq!(read(file.bytes).packets, [packet.clone(), packet]);
    }
}

#[test]
fn clocks_of_any_resolution_become_nanoseconds() {
    let (resolution, offset) = (9, 14);
    let table: [(&str, &[InterfaceOption], u64, Nanos); 10] = [
        ("microseconds by default", &[], 1_500_000, 1_500_000_000),
        ("seconds", &[(resolution, &[0])], 3, 3 * SEC),
        ("milliseconds", &[(resolution, &[3])], 1_500, 1_500_000_000),
        ("nanoseconds", &[(resolution, &[9])], 1_500, 1_500),
        ("picoseconds", &[(resolution, &[12])], 1_500_999, 1_500),
        ("beyond all use", &[(resolution, &[127])], u64::MAX, 0),
        ("1/1024 s", &[(resolution, &[0x8a])], 1536, 1_500_000_000),
        ("2^-64 s", &[(resolution, &[0xc0])], 1 << 63, 500_000_000),
        ("too late to be told", &[(resolution, &[0])], u64::MAX, Nanos::MAX),
        ("an hour ahead", &[(resolution, &[6]), (offset, &[0, 0, 0, 0, 0, 0, 0x0e, 0x10])], 1, 3600 * SEC + 1000),
    ];
    for big_endian in [false, true] {
        for (name, options, stamp, expected) in table {
            let mut options = options.to_vec();
            let reversed: Vec<u8>;
            if let Some(option) = options.iter_mut().find(|option| option.0 == offset && !big_endian) {
                reversed = option.1.iter().rev().copied().collect();
                option.1 = &reversed;
            }
            let file = Build::new(big_endian).section().interface(1, 0, &options).packet(0, stamp, 0, b"");
            assert_eq!(read(file.bytes).packets[0].2, expected, "{name}, big endian {big_endian}");
        }
    }
    let before_1970 = [(offset, &[0xff; 8][..])];
    let file = Build::new(true).section().interface(1, 0, &before_1970).packet(0, 1, 0, b"");
    assert_eq!(read(file.bytes).packets[0].2, 0);
}

#[test]
fn names_that_the_capture_brings_are_offered() {
    for big_endian in [false, true] {
        let file = Build::new(big_endian).section();
        let record = |kind: u16, value: &[u8]| {
            let pad = vec![0; value.len().next_multiple_of(4) - value.len()];
            [&file.u16(kind)[..], &file.u16(value.len() as u16), value, &pad].concat()
        };
        let v6 = [&[0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1][..], b"cache\0"].concat();
        let body = [record(1, b"\x0a\0\0\x07orders\0orders.shop\0"), record(2, &v6), vec![0; 4]].concat();
        let file = file.block(4, &body).block(4, b"broken");
        let mut source = FileSource::from_reader("x", io::Cursor::new(file.bytes));
        assert!(matches!(source.next(), Ok(Next::End)));
        let ten = Addr::v4([10, 0, 0, 7]);
        let names = source.take_names();
        assert_eq!(names[..2], [(ten, "orders".to_string()), (ten, "orders.shop".to_string())]);
        assert_eq!(names[2..], [(Addr(0xfd << 120 | 1), "cache".to_string())]);
        assert!(source.take_names().is_empty());
    }
}

#[test]
fn link_types_are_passed_on() {
    let with_frame_check_sequence = 0x4400_0000 | 276;
    let file = Build::pcap(true, 0xa1b2_c3d4, with_frame_check_sequence).record(0, 0, 0, b"");
    assert_eq!(read(file.bytes).packets[0].1, LinkType::LINUX_SLL2.0);
}

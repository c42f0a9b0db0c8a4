//! Given these bytes in a file, these are its packets, and this is what is wrong with it.

use std::io::{self, Read, Write};
use std::time::Duration;

use proptest::prelude::*;

use super::file::FileSource;
use super::{MAX_PACKET, Next};
use crate::packet::{Addr, LinkType, Nanos};

/// Code and value.
type InterfaceOption<'a> = (u16, &'a [u8]);

/// Capture files, block by block, in either byte order.
struct Build {
    big_endian: bool,
    bytes: Vec<u8>,
}

impl Build {
    fn new(big_endian: bool) -> Self {
        Self { big_endian, bytes: Vec::new() }
    }

    fn u16(&self, value: u16) -> [u8; 2] {
        if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn u32(&self, value: u32) -> [u8; 4] {
        if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn words(&self, words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| self.u32(*word)).collect()
    }

    fn pcap(big_endian: bool, magic: u32, link: u32) -> Self {
        let mut file = Self::new(big_endian);
        file.bytes = [&file.u32(magic)[..], &file.u16(2), &file.u16(4), &file.words(&[0, 0, 65_535, link])].concat();
        file
    }

    fn record(mut self, sec: u32, fraction: u32, wire_len: u32, data: &[u8]) -> Self {
        self.bytes.extend(self.words(&[sec, fraction, data.len() as u32, wire_len]));
        self.bytes.extend(data);
        self
    }

    fn block(mut self, kind: u32, body: &[u8]) -> Self {
        let padded = body.len().next_multiple_of(4);
        let len = padded as u32 + 12;
        self.bytes.extend(self.words(&[kind, len]));
        self.bytes.extend(body);
        self.bytes.resize(self.bytes.len() + padded - body.len(), 0);
        self.bytes.extend(self.u32(len));
        self
    }

    fn section(self) -> Self {
        let body =
            [&self.u32(0x1a2b_3c4d)[..], &self.u16(1), &self.u16(0), &self.words(&[u32::MAX, u32::MAX])].concat();
        self.block(0x0a0d_0d0a, &body)
    }

    fn interface(self, link: u16, snap_len: u32, options: &[InterfaceOption<'_>]) -> Self {
        let mut body = [&self.u16(link)[..], &self.u16(0), &self.u32(snap_len)].concat();
        for (code, value) in options {
            body.extend([self.u16(*code), self.u16(value.len() as u16)].concat());
            body.extend(*value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        self.block(1, &body)
    }

    fn packet(self, interface: u32, stamp: u64, wire_len: u32, data: &[u8]) -> Self {
        let head = [interface, (stamp >> 32) as u32, stamp as u32, data.len() as u32, wire_len];
        let comment = [&self.u16(1)[..], &self.u16(2), b"hi\0\0", &[0; 4]].concat();
        let pad = vec![0; data.len().next_multiple_of(4) - data.len()];
        let body = [&self.words(&head), data, &pad, &comment].concat();
        self.block(6, &body)
    }
}

/// A packet as a test writes it: interface, link type, time, captured bytes, length on the wire.
type Row = (u32, u16, Nanos, Vec<u8>, u32);

struct All {
    packets: Vec<Row>,
    idle: usize,
    error: Option<String>,
    offset: Option<u64>,
}

fn read_all(mut source: FileSource) -> All {
    let mut all = All { packets: Vec::new(), idle: 0, error: None, offset: None };
    loop {
        match source.next() {
            Ok(Next::Packet(p)) => {
                assert!(p.wire_len as usize >= p.data.len());
                all.packets.push((p.sight.interface, p.link.0, p.time, p.data.to_vec(), p.wire_len));
            }
            Ok(Next::Idle) => all.idle += 1,
            Ok(Next::End) => break,
            Err(error) => {
                assert!(all.error.is_none(), "an error is told once");
                (all.offset, all.error) = (error.offset, Some(error.to_string()));
            }
        }
    }
    all
}

fn read(bytes: impl Into<Vec<u8>>) -> All {
    read_all(FileSource::from_reader("x.pcap", io::Cursor::new(bytes.into())))
}

/// Gives bytes in small pieces, and nothing every other time, as a slow pipe does.
struct Drip {
    bytes: io::Cursor<Vec<u8>>,
    size: usize,
    dry: bool,
}

impl Read for Drip {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.dry = !self.dry;
        let size = self.size.min(into.len());
        if self.dry { Err(io::ErrorKind::WouldBlock.into()) } else { self.bytes.read(&mut into[..size]) }
    }
}

fn drip(bytes: Vec<u8>, size: usize) -> All {
    read_all(FileSource::from_reader("x.pcap", Drip { bytes: io::Cursor::new(bytes), size, dry: false }))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::encode_all(bytes, 1).unwrap()
}

const SEC: Nanos = 1_000_000_000;

/// Two packets of one interface, the second cut, in every format and byte order.
fn every_format() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for big_endian in [false, true] {
        for (magic, unit) in [(0xa1b2_c3d4, 1), (0xa1b2_3c4d, 1000)] {
            let file = Build::pcap(big_endian, magic, 101);
            let file = file.record(10, 20 * unit, 3, b"abc").record(11, 999_999 * unit, 90, b"defgh");
            files.push((format!("pcap {magic:x} {big_endian}"), file.bytes));
        }
        let file = Build::new(big_endian).section().interface(101, 0, &[]);
        let file = file.packet(0, 10_000_020, 3, b"abc").packet(0, 11_999_999, 90, b"defgh");
        files.push((format!("pcapng {big_endian}"), file.bytes));
    }
    files
}

fn two_packets() -> Vec<Row> {
    vec![(0, 101, 10 * SEC + 20_000, b"abc".to_vec(), 3), (0, 101, 11 * SEC + 999_999_000, b"defgh".to_vec(), 90)]
}

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
fn what_is_no_capture_gets_one_clear_line() {
    let table: [(&[u8], &str); 9] = [
        (b"", "x.pcap is empty, not a capture"),
        (b"id,total\n1,20\n", "x.pcap is no capture: it begins with \"id,total\", not a pcap or pcapng header"),
        (
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0",
            "x.pcap is no capture: it begins with the bytes 7f 45 4c 46 02 01 01 00, not a pcap or pcapng header",
        ),
        (b"\n", "x.pcap is no capture: it begins with the bytes 0a, not a pcap or pcapng header"),
        (b"\xd4\xc3\xb2\xa1\x02\0", "x.pcap is cut off at byte 0: the pcap header is not whole"),
        (b"\x0a\x0d\x0d\x0a\x1c\0", "x.pcap is cut off at byte 0: of a block of 12 bytes, 6 are there"),
        (b"\xfd7zXZ\0\0\x04", "x.pcap is no pcap or pcapng capture but xz-compressed: unpack it first"),
        (b"\x1f\x8b\x08\0rest", "x.pcap is cut off at byte 0: the gzip data end early"),
        (b"\x28\xb5\x2f\xfd\x00\x58\x06\x00\x00", "x.pcap is damaged at byte 0: the zstd data can't be unpacked"),
    ];
    for (bytes, expected) in table {
        let all = read(bytes);
        let error = all.error.unwrap();
        assert!(error.starts_with(expected), "{error:?} is not {expected:?}");
        assert!(all.packets.is_empty());
    }
    let (packed, empty) = (read(gzip(b"id,total\n")).error.unwrap(), read(gzip(b"")).error.unwrap());
    assert!(packed.contains("it begins with \"id,total\""), "{packed}");
    assert!(empty.contains("is empty"), "{empty}");
}

#[test]
fn damage_is_told_with_its_place_after_the_packets_before_it() {
    let pcap = || Build::pcap(false, 0xa1b2_c3d4, 1).record(1, 0, 3, b"abc");
    let ng = || Build::new(false).section().interface(1, 0, &[]).packet(0, 1_000_000, 3, b"abc");
    let at = ng().bytes.len();
    let block_len = |len: u32| [ng().bytes, vec![6, 0, 0, 0], len.to_le_bytes().to_vec(), vec![0; 40]].concat();
    let bad_trailer = {
        let mut bytes = ng().packet(0, 0, 3, b"abc").bytes;
        *bytes.last_mut().unwrap() = 1;
        bytes
    };
    let mut huge = ng().words(&[6, 32, 0, 0, 0, u32::MAX, 0, 32]);
    huge.splice(..0, ng().bytes);
    let table: Vec<(&str, Vec<u8>, String)> = vec![
        ("half a record", pcap().record(2, 0, 90, b"defgh").bytes[..60].to_vec(), "cut off at byte 43".into()),
        ("half a record header", pcap().record(2, 0, 90, b"d").bytes[..50].to_vec(), "cut off at byte 43".into()),
        (
            "a packet of 4 GiB",
            [pcap().bytes, pcap().words(&[2, 0, u32::MAX, u32::MAX])].concat(),
            "damaged at byte 43: a packet of 4294967295 bytes".into(),
        ),
        ("half a block", ng().packet(0, 0, 3, b"abc").bytes[..at + 20].to_vec(), format!("cut off at byte {at}")),
        ("a block of 0 bytes", block_len(0), format!("damaged at byte {at}: a block of 0 bytes")),
        ("a block of 4 GiB", block_len(u32::MAX), format!("damaged at byte {at}: a block of 4294967295 bytes")),
        ("a block that ends wrongly", bad_trailer, format!("damaged at byte {at}: a block of 48 bytes")),
        ("more captured than the block holds", huge, format!("damaged at byte {at}: a packet of 4294967295 bytes")),
        (
            "no such interface",
            ng().packet(9, 0, 0, b"").bytes,
            format!("damaged at byte {at}: a packet of interface 9"),
        ),
        ("no header in a packet block", ng().block(6, &[0; 4]).bytes, format!("damaged at byte {at}: a packet block")),
        ("a section of no byte order", ng().block(0x0a0d_0d0a, &[0; 16]).bytes, format!("damaged at byte {at}: a sec")),
    ];
    for (name, bytes, expected) in table {
        for (how, bytes) in [("plain", bytes.clone()), ("gzip", gzip(&bytes)), ("zstd", zstd(&bytes))] {
            let all = read(bytes);
            let error = all.error.unwrap();
            assert!(error.contains(&expected), "{name}, {how}: {error:?} does not say {expected:?}");
            assert!(error.contains(&format!("at byte {}", all.offset.unwrap())));
            assert_eq!(all.packets.len(), 1, "{name}, {how}");
        }
    }
    let zeros = read([ng().bytes, vec![0; 100]].concat());
    assert!(zeros.error.unwrap().contains("a block of 0 bytes"));
}

#[test]
fn a_cut_off_compressed_file_gives_what_can_be_unpacked() {
    let mut file = Build::pcap(false, 0xa1b2_c3d4, 1);
    let mut noise = 1u64;
    for i in 0..20_000 {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(i);
        file = file.record(i as u32, 0, 8, &noise.to_be_bytes());
    }
    for (how, packed) in [("gzip", gzip(&file.bytes)), ("zstd", zstd(&file.bytes))] {
        let all = read(&packed[..packed.len() / 2]);
        let error = all.error.unwrap();
        assert!(error.contains("cut off at byte") && error.contains(how), "{error}");
        assert!(all.packets.len() > 1000, "{how}: {}", all.packets.len());
        let unpacked = 24 + all.packets.len() as u64 * 24;
        assert!((unpacked..unpacked + 24).contains(&all.offset.unwrap()));
    }
    let mut packed = gzip(&file.bytes);
    let middle = packed.len() / 2;
    packed[middle..middle + 64].fill(0xff);
    let all = read(packed);
    let error = all.error.unwrap();
    assert!(error.contains("damaged at byte"), "{error}");
    assert!(all.packets.len() > 8000, "{}", all.packets.len());
}

#[test]
fn a_length_is_not_believed_before_the_bytes_are_there() {
    let claim = Build::pcap(false, 0xa1b2_c3d4, 1);
    let claim = [claim.bytes.clone(), claim.words(&[0, 0, MAX_PACKET as u32, 0]), vec![7; 100]].concat();
    let mut source = FileSource::from_reader("x", io::Cursor::new(claim));
    assert!(source.next().is_err());
    assert!(source.memory() < 1 << 20);
    let largest = Build::pcap(false, 0xa1b2_c3d4, 1).record(0, 0, 0, &vec![7; MAX_PACKET]).record(0, 0, 0, b"x");
    let lens: Vec<usize> = read(largest.bytes).packets.iter().map(|packet| packet.3.len()).collect();
    assert_eq!(lens, [MAX_PACKET, 1]);
}

#[test]
fn a_file_on_disk_is_read_and_its_position_told() {
    let path = std::env::temp_dir().join(format!("tapper-{}-position.pcap.gz", std::process::id()));
    let packed = gzip(&every_format()[0].1);
    std::fs::write(&path, &packed).unwrap();
    let mut source = FileSource::open(&path).unwrap();
    assert_eq!(source.position(), 0);
    while !matches!(source.next().unwrap(), Next::End) {}
    assert_eq!(source.position(), packed.len() as u64);
    std::fs::remove_file(&path).unwrap();

    let error = FileSource::open(&path).err().unwrap().to_string();
    assert!(error.ends_with("can't be opened: No such file or directory"), "{error}");
    let error = FileSource::open("/").err().unwrap().to_string();
    assert_eq!(error, "/ can't be opened: is a directory");
    let error = FileSource::open("a\x1b[2Jb").err().unwrap().to_string();
    assert!(!error.contains('\x1b'));
}

#[test]
fn a_pipe_that_waits_says_so_and_goes_on() {
    let file = every_format().swap_remove(0).1;
    let (read_end, mut write_end) = io::pipe().unwrap();
    let mut source = FileSource::from_pipe("-", read_end);
    source.set_idle(Duration::from_millis(1));
    let mut seen = Vec::new();
    for chunk in file.chunks(20) {
        assert!(matches!(source.next(), Ok(Next::Idle)));
        write_end.write_all(chunk).unwrap();
        while let Next::Packet(packet) = source.next().unwrap() {
            seen.push(packet.data.to_vec());
        }
    }
    drop(write_end);
    assert!(matches!(source.next(), Ok(Next::End)));
    assert_eq!(seen, [b"abc".to_vec(), b"defgh".to_vec()]);
}

#[test]
fn a_named_pipe_is_opened_before_anyone_writes_to_it() {
    let path = std::env::temp_dir().join(format!("tapper-{}-fifo", std::process::id()));
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let mut source = FileSource::open(&path).unwrap();
    source.set_idle(Duration::from_millis(1));
    assert!(matches!(source.next(), Ok(Next::Idle)));
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().write_all(&every_format()[0].1).unwrap();
    let all = read_all(source);
    assert_eq!((all.packets, all.error), (two_packets(), None));
    std::fs::remove_file(&path).unwrap();
}

proptest! {
    #[test]
    fn no_bytes_break_it(which in 0usize..6, tail in prop::collection::vec(any::<u8>(), 0..200), size in 1usize..50) {
        let head = every_format().swap_remove(which).1;
        for bytes in [tail.clone(), [head, tail].concat()] {
            let whole = read(bytes.clone());
            let dripped = drip(bytes, size);
            prop_assert_eq!(whole.packets, dripped.packets);
            prop_assert_eq!(whole.error, dripped.error);
        }
    }

    #[test]
    fn a_damaged_file_ends(which in 0usize..6, at in any::<prop::sample::Index>(), with in any::<u8>()) {
        let mut bytes = every_format().swap_remove(which).1;
        let at = at.index(bytes.len());
        bytes[at] = with;
        for bytes in [bytes.clone(), gzip(&bytes)] {
            prop_assert!(read(bytes).packets.len() <= 2);
        }
        let mut packed = zstd(&every_format().swap_remove(which).1);
        let at = at % packed.len();
        packed[at] ^= with;
        prop_assert!(read(packed).packets.len() <= 2);
    }

    #[test]
    fn any_cut_gives_the_packets_before_it(which in 0usize..6, at in any::<prop::sample::Index>()) {
        let file = every_format().swap_remove(which).1;
        let all = read(&file[..at.index(file.len())]);
        prop_assert_eq!(&all.packets[..], &two_packets()[..all.packets.len()]);
        prop_assert!(all.error.is_some() || all.packets.len() < 2);
    }
}

#[test]
fn link_types_are_passed_on() {
    let with_frame_check_sequence = 0x4400_0000 | 276;
    let file = Build::pcap(true, 0xa1b2_c3d4, with_frame_check_sequence).record(0, 0, 0, b"");
    assert_eq!(read(file.bytes).packets[0].1, LinkType::LINUX_SLL2.0);
}

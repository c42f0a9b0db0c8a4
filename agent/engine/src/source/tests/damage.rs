//! What is no capture, or not a whole one.

use proptest::prelude::*;

use super::*;
use crate::source::MAX_PACKET;

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

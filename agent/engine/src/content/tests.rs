//! Bodies from real encoders, whole, cut, broken and hostile.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;

use super::*;

const MAX: u64 = 16 << 20;

fn encode(coding: &str, data: &[u8]) -> Vec<u8> {
    match coding {
        "gzip" | "x-gzip" => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap()
        }
        "deflate" => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap()
        }
        "raw" => {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap()
        }
        "br" => {
            let mut coded = Vec::new();
            ::brotli::CompressorReader::new(data, 4096, 5, 22).read_to_end(&mut coded).unwrap();
            coded
        }
        "zstd" => ::zstd::encode_all(data, 3).unwrap(),
        _ => data.to_vec(),
    }
}

/// What can be sent, as (Content-Encoding, how it is encoded).
const CODINGS: &[(&str, &str)] = &[
    ("gzip", "gzip"),
    ("X-GZip", "gzip"),
    ("deflate", "deflate"),
    ("deflate", "raw"),
    ("br", "br"),
    ("zstd", "zstd"),
    ("identity", "identity"),
];

fn text() -> Vec<u8> {
    (0..4000)
        .flat_map(|n: u32| format!("{{\"id\":{n},\"name\":\"item {}\"}},", n.wrapping_mul(2654435761)).into_bytes())
        .collect()
}

fn decode(coding: &str, raw: &[u8], whole: bool, limit: usize) -> (Result<Decoded, Undecodable>, Vec<u8>) {
    let mut out = b"kept".to_vec();
    let decoded = ContentDecoder::default().decode(coding.as_bytes(), raw, whole, limit, MAX, &mut out);
    assert!(out.starts_with(b"kept"));
    (decoded, out.split_off(4))
}

#[test]
fn whole_bodies() {
    let mut decoder = ContentDecoder::default();
    for data in [&b"x"[..], b"hello hello hello", &text()] {
        for (coding, how) in CODINGS {
            let mut out = Vec::new();
            let raw = encode(how, data);
            let decoded = decoder.decode(coding.as_bytes(), &raw, true, 1 << 20, MAX, &mut out);
            assert_eq!(decoded, Ok(Decoded { content_bytes: Some(data.len() as u64), cut: false }), "{coding} {how}");
            assert_eq!(out, data);
        }
    }
}

#[test]
fn no_bytes_are_no_content() {
    for (coding, _) in CODINGS {
        assert_eq!(decode(coding, b"", true, 9).0, Ok(Decoded { content_bytes: Some(0), cut: false }));
    }
}

#[test]
fn coded_in_a_way_that_was_not_seen() {
    assert_eq!(decode("", b"some", true, 9), (Err(Undecodable::Coding), Vec::new()));
}

#[test]
fn lists_are_undone_from_the_end() {
    let data = text();
    let raw = encode("br", &encode("zstd", &encode("gzip", &data)));
    let (decoded, out) = decode("gzip, identity, zstd ,br", &raw, true, 1 << 20);
    assert_eq!((decoded, out.len()), (Ok(Decoded { content_bytes: Some(data.len() as u64), cut: false }), data.len()));
    assert_eq!(decode("br,br,br,br", &raw, true, 9).0, Err(Undecodable::Coding));
    assert_eq!(decode("gzip, compress", &raw, true, 9).0, Err(Undecodable::Coding));
}

#[test]
fn members_and_frames_follow_one_another() {
    for coding in ["gzip", "zstd"] {
        let raw = [encode(coding, b"ab"), encode(coding, b"cd")].concat();
        let (decoded, out) = decode(coding, &raw, true, 9);
        assert_eq!((decoded, &out[..]), (Ok(Decoded { content_bytes: Some(4), cut: false }), &b"abcd"[..]));
    }
    let padded = [encode("gzip", b"ab"), vec![0; 20]].concat();
    assert_eq!(decode("gzip", &padded, true, 9).1, b"ab");
}

#[test]
fn gzip_headers_may_hold_anything() {
    let plain = encode("gzip", b"content");
    let mut raw = vec![0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3];
    raw.extend_from_slice(b"\x03\0abcname\0comment\0\x01\x02");
    let header = raw.len();
    raw.extend_from_slice(&plain[10..]);
    assert_eq!(decode("gzip", &raw, true, 99).1, b"content");
    for cut in 3..header {
        let (decoded, out) = decode("gzip", &raw[..cut], false, 99);
        assert_eq!((decoded, out.len()), (Ok(Decoded { content_bytes: None, cut: true }), 0));
    }
}

#[test]
fn what_is_kept_ends_at_the_limit() {
    let data = text();
    for (coding, how) in CODINGS {
        for limit in [0, 1, 70_000, data.len(), data.len() + 1] {
            let (decoded, out) = decode(coding, &encode(how, &data), true, limit);
            let kept = limit.min(data.len());
            let expected = Decoded { content_bytes: Some(data.len() as u64), cut: kept < data.len() };
            assert_eq!(decoded, Ok(expected), "{coding} {how} {limit}");
            assert_eq!(out, &data[..kept]);
        }
    }
}

#[test]
fn damage_is_an_error() {
    for coding in ["gzip", "deflate", "zstd"] {
        let mut raw = encode(coding, &text());
        let last = raw.len() - 1;
        raw[last] ^= 1;
        if coding != "zstd" {
            assert_eq!(decode(coding, &raw, true, 1 << 20), (Err(Undecodable::Data), vec![]), "{coding}");
        }
        raw[20] ^= 0x55;
        raw.truncate(300);
        assert_eq!(decode(coding, b"plain text", true, 99).0, Err(Undecodable::Data));
    }
    assert_eq!(decode("br", b"{\"plain\": \"json\"}", true, 99).0, Err(Undecodable::Data));
}

#[test]
fn bombs_are_counted_up_to_a_bound() {
    let zeros = vec![0; 40 << 20];
    for coding in ["gzip", "deflate", "br", "zstd"] {
        let raw = encode(coding, &zeros);
        let (decoded, out) = decode(coding, &raw, true, 1000);
        assert_eq!(decoded, Ok(Decoded { content_bytes: None, cut: true }), "{coding}");
        assert_eq!(out, &zeros[..1000]);
    }
    let nested = encode("gzip", &encode("gzip", &zeros));
    assert_eq!(decode("gzip, gzip", &nested, true, 10).0, Ok(Decoded { content_bytes: None, cut: true }));
}

#[test]
fn windows_beyond_the_bound_are_refused() {
    let mut encoder = ::zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.long_distance_matching(true).unwrap();
    encoder.window_log(27).unwrap();
    encoder.write_all(&vec![1; 1 << 20]).unwrap();
    let raw = encoder.finish().unwrap();
    assert_eq!(decode("zstd", &raw, true, 99).0, Err(Undecodable::Data));
}

#[test]
fn a_body_that_failed_leaves_no_trace() {
    let mut decoder = ContentDecoder::default();
    for coding in ["gzip", "deflate", "br", "zstd"] {
        let raw = encode(coding, &text());
        for broken in [&raw[..raw.len() / 2], &[&raw[..100], &[0xff; 100]].concat(), b"junk"] {
            let _ = decoder.decode(coding.as_bytes(), broken, true, 1 << 20, MAX, &mut Vec::new());
            let mut out = Vec::new();
            decoder.decode(coding.as_bytes(), &raw, true, 1 << 20, MAX, &mut out).unwrap();
            assert_eq!(out, text(), "{coding}");
        }
    }
}

/// Beginnings that decoders accept.
const MAGIC: &[&[u8]] = &[b"", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], &[0x78, 0x9c], &[0x28, 0xb5, 0x2f, 0xfd]];

proptest! {
    #[test]
    fn a_part_gives_the_beginning(
        data in prop::collection::vec(b'a'..b'd', 0..5000),
        cut: prop::sample::Index,
        limit in 0..6000usize,
    ) {
        for (coding, how) in CODINGS {
            let raw = encode(how, &data);
            let part = &raw[..cut.index(raw.len() + 1)];
            let (decoded, out) = decode(coding, part, false, limit);
            prop_assert_eq!(decoded, Ok(Decoded { content_bytes: None, cut: true }));
            prop_assert!(data.starts_with(&out), "{} {}", coding, how);
            let (decoded, whole) = decode(coding, part, true, limit);
            prop_assert_eq!(out, whole);
            if part.len() < raw.len() && !coding.is_empty() && *how != "identity" && !part.is_empty() {
                prop_assert_eq!(decoded, Ok(Decoded { content_bytes: None, cut: true }));
            }
        }
    }

    #[test]
    fn any_bytes_are_survived(
        raw in prop::collection::vec(any::<u8>(), 0..600),
        coding in prop::sample::select(&["gzip", "deflate", "br", "zstd", "gzip,br", "zstd, deflate", ",", "x"]),
        magic in prop::sample::select(MAGIC),
        whole: bool,
    ) {
        let (decoded, out) = decode(coding, &[magic, &raw].concat(), whole, 100);
        prop_assert!(out.len() <= 100);
        prop_assert!(decoded.is_ok() || out.is_empty());
    }

    #[test]
    fn damaged_bodies_are_survived(data in prop::collection::vec(b'a'..b'd', 0..3000), at: prop::sample::Index, with: u8) {
        for (coding, how) in CODINGS {
            let mut raw = encode(how, &data);
            if !raw.is_empty() {
                let at = at.index(raw.len());
                raw[at] = with;
            }
            let _ = decode(coding, &raw, true, 1 << 20);
        }
    }
}

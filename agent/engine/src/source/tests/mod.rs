//! Given these bytes in a file, these are its packets, and this is what is wrong with it.

mod damage;
mod files;
mod formats;

use std::io::{self, Read, Write};

use super::Next;
use super::file::FileSource;
use crate::packet::Nanos;

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

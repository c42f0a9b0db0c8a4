//! Any bytes as a capture file: read to its end, in bounded memory, the same however they arrive.
#![no_main]

use std::io::{self, Read};

use _engine::source::Next;
use _engine::source::file::FileSource;
use libfuzzer_sys::fuzz_target;

/// A pipe that gives few bytes at a time, and nothing every other time.
struct Drip(io::Cursor<Vec<u8>>, bool);

impl Read for Drip {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        let size = into.len().min(13);
        if self.1 { Err(io::ErrorKind::WouldBlock.into()) } else { self.0.read(&mut into[..size]) }
    }
}

/// Packets, captured bytes, and how it ended.
fn read(mut source: FileSource) -> (u64, u64, Option<String>) {
    let (mut packets, mut bytes) = (0, 0);
    loop {
        match source.next() {
            Ok(Next::Packet(packet)) => {
                assert!(packet.time >= 0 && packet.wire_len as usize >= packet.data.len());
                packets += 1;
                bytes += packet.data.len() as u64;
            }
            Ok(Next::Idle) => {}
            Ok(Next::End) => return (packets, bytes, None),
            Err(error) => return (packets, bytes, Some(error.to_string())),
        }
        assert!(source.memory() <= 64 << 20);
    }
}

fuzz_target!(|data: &[u8]| {
    let whole = read(FileSource::from_reader("fuzz", io::Cursor::new(data.to_vec())));
    let dripped = read(FileSource::from_reader("fuzz", Drip(io::Cursor::new(data.to_vec()), false)));
    // How much is unpacked before damage is found depends on the pieces; all else does not.
    let packed = data.first().is_some_and(|byte| matches!(byte, 0x1f | 0x28 | 0x50..=0x5f));
    if !packed || whole.2.is_none() {
        assert_eq!(whole, dripped);
    }
});

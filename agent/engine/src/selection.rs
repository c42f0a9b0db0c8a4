//! The packets of one connection out of capture files.

use std::net::SocketAddr;

use crate::config::SECOND;
use crate::decode::Decoder;
use crate::packet::{Decoded, Endpoint, Nanos};
use crate::record::PcapngWriter;
use crate::source::file::FileSource;
use crate::source::{CaptureError, Next};

/// Packets of a file are about in order: so far behind the end of what is looked for it is not looked on.
const DISORDER: Nanos = 10 * SECOND;

/// Which packets.
#[derive(Clone, Copy, Debug)]
pub struct Selection {
    /// The two ends.
    pub ends: [SocketAddr; 2],
    /// Not before.
    pub start: Nanos,
    /// Not after.
    pub end: Nanos,
    /// At most so many bytes of pcapng.
    pub bytes: u64,
}

/// What was found.
pub struct Selected {
    /// As pcapng; without packets if there were none.
    pub pcapng: Vec<u8>,
    /// Packets in it.
    pub packets: u64,
    /// Packets that the bound left no room for.
    pub left_out: u64,
}

/// Looks through capture files for packets of TCP, UDP, and ICMP about them; a file that is damaged serves up to there.
/// It is asked now and then whether to go on.
pub fn select(
    paths: &[String],
    selection: &Selection,
    mut goes_on: impl FnMut() -> bool,
) -> Result<Selected, CaptureError> {
    let mut writer = PcapngWriter::new(Vec::new()).expect("writing to memory does not fail");
    let (mut packets, mut left_out, mut seen) = (0, 0, 0u64);
    'files: for path in paths {
        let mut source = FileSource::open(path)?;
        let mut decoder = Decoder::default();
        while let Ok(Next::Packet(packet)) = source.next() {
            seen += 1;
            if seen.is_multiple_of(1 << 16) && !goes_on() {
                break 'files;
            }
            if packet.time > selection.end.saturating_add(DISORDER) {
                break;
            }
            // All are decoded, so that a datagram in fragments is put together.
            let ends = match decoder.decode(&packet) {
                Decoded::Tcp(segment) => (segment.src, segment.dst),
                Decoded::Udp(datagram) => (datagram.src, datagram.dst),
                Decoded::Unreachable(about) => (about.src, about.dst),
                Decoded::Fragment | Decoded::Other | Decoded::Malformed => continue,
            };
            let within = (selection.start..=selection.end).contains(&packet.time);
            if !within || !selection.is_between(ends.0, ends.1) {
                continue;
            }
            if writer.written() + PcapngWriter::<Vec<u8>>::size(&packet) > selection.bytes {
                left_out += 1;
                continue;
            }
            writer.packet(&packet, || None).expect("writing to memory does not fail");
            packets += 1;
        }
    }
    Ok(Selected { pcapng: writer.into_inner(), packets, left_out })
}

impl Selection {
    fn is_between(&self, src: Endpoint, dst: Endpoint) -> bool {
        let is = |end: Endpoint, known: SocketAddr| end.port == known.port() && end.addr.ip() == known.ip();
        let [one, other] = self.ends;
        is(src, one) && is(dst, other) || is(src, other) && is(dst, one)
    }
}

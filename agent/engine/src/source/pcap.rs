//! The classic pcap format: a header of 24 bytes, then records.
//!
//! The header is read by pcap-parser; the records here, because a record that the buffer does not hold whole yet must
//! be told apart from a damaged one, and because it is where the time of reading goes.

use pcap_parser::parse_pcap_header;

use super::input::{Fill, Input};
use super::{Fault, Found, MAX_PACKET, Step};
use crate::packet::{LinkType, Nanos, Sight};

/// Length of the file's header.
pub(super) const HEADER: usize = 24;

/// How the records of one file are written.
#[derive(Debug)]
pub(super) struct Pcap {
    big_endian: bool,
    /// Nanoseconds of one unit of the fraction of a second.
    unit: Nanos,
    /// Length of a record's header.
    record: usize,
    link: LinkType,
}

impl Pcap {
    /// From the header; `None` if it is none.
    pub(super) fn new(header: &[u8]) -> Option<Self> {
        let (_, header) = parse_pcap_header(header).ok()?;
        Some(Self {
            big_endian: header.is_bigendian(),
            unit: if header.is_nanosecond_precision() { 1 } else { 1000 },
            record: if header.is_modified_format() { 24 } else { 16 },
            // The upper half tells of frame check sequences at the end of frames, which no IP length includes.
            link: LinkType(header.network.0 as u16),
        })
    }

    #[inline]
    pub(super) fn next(&self, input: &mut Input) -> Result<Step, Fault> {
        loop {
            let bytes = input.bytes();
            let mut need = self.record;
            if let Some(head) = bytes.first_chunk::<16>() {
                let [sec, fraction, len, wire_len] = self.words(head);
                let len = len as usize;
                if len > MAX_PACKET {
                    let what = format_args!("a packet of {len} bytes, more than any packet has");
                    return Err(Fault::damaged(input.offset(), what));
                }
                need += len;
                if bytes.len() >= need {
                    let at = input.consume(need) + self.record;
                    let time = Nanos::from(sec) * 1_000_000_000 + Nanos::from(fraction) * self.unit;
                    let wire_len = wire_len.max(len as u32);
                    return Ok(Step::Packet(Found {
                        time,
                        at,
                        len,
                        wire_len,
                        link: self.link,
                        sight: Sight::default(),
                    }));
                }
            }
            match input.fill(need)? {
                Fill::Ready => {}
                Fill::Idle => return Ok(Step::Idle),
                Fill::End if input.bytes().is_empty() => return Ok(Step::End),
                Fill::End => {
                    let (have, offset) = (input.bytes().len(), input.offset());
                    let what = format_args!("of a packet record of {need} bytes, {have} are there");
                    return Err(Fault::cut_off(offset, what));
                }
            }
        }
    }

    #[inline]
    fn words(&self, head: &[u8; 16]) -> [u32; 4] {
        let (words, _) = head.as_chunks::<4>();
        std::array::from_fn(
            |i| {
                if self.big_endian { u32::from_be_bytes(words[i]) } else { u32::from_le_bytes(words[i]) }
            },
        )
    }
}

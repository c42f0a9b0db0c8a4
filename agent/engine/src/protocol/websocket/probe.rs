//! Recognising a WebSocket by its frames alone, where its upgrade was never seen.
//!
//! A frame says little of itself, so evidence is counted, in bits: what chance, or another protocol, would have to match
//! so that its bytes look like this. Text is the best of it; without any, only frames that are masked can tell.

use super::deflate;
use super::frame::{self, Header, Read, opcode};
use crate::protocol::Probe;
use crate::stream::{Side, View};

/// Enough that other bytes practically never look like it.
const ENOUGH: u32 = 40;
/// Enough of it must be of what the messages say where frames are not masked: a type, a length and as many bytes are how
/// other protocols begin too (MQTT's SUBSCRIBE is 0x82).
const ENOUGH_SAID: u32 = 16;
/// A lawful header behind another frame, or at the start of a segment: see [`frame`].
const HEADER: u32 = 5;
/// The bytes end with a frame.
const FLUSHED: u32 = 10;
/// A payload is what a compressor makes: of random ones, fewer than one in a thousand is.
const DEFLATED: u32 = 10;
/// Frames that are looked at.
const LONGEST: usize = 16;

/// Whether a WebSocket's frames begin here, and who sent them: a client masks, a server does not (RFC 6455 section 5.1).
pub(super) fn probe(bytes: &[u8]) -> Probe {
    let mut chain = Chain::default();
    let mut at = 0;
    for number in 0..LONGEST {
        if at == bytes.len() {
            chain.evidence += FLUSHED;
            break;
        }
        let header = match frame::read(&bytes[at..], true) {
            Read::Bad => return Probe::No,
            // The rest of a fragmented message is no beginning, nor is a part of one enough of it.
            _ if number == 0 && !begins(bytes[0]) => return Probe::No,
            Read::More => break,
            Read::Header(header) => header,
        };
        let end = header.end(at);
        let payload = &bytes[at + header.size..end.min(bytes.len())];
        if !chain.add(header, payload) {
            return Probe::No;
        }
        if end > bytes.len() {
            break;
        }
        at = end;
    }
    match chain.masked {
        Some(true) if chain.evidence >= ENOUGH => Probe::Match(Side::Client),
        Some(false) if chain.evidence >= ENOUGH && chain.said >= ENOUGH_SAID => Probe::Match(Side::Server),
        _ => Probe::More,
    }
}

/// Where frames begin behind a loss, at the start of a segment, though nobody was seen to ask for a WebSocket.
pub(super) fn find(view: View<'_>, side: Side) -> Option<usize> {
    view.marks.iter().find_map(|mark| {
        let at = mark.offset.checked_sub(view.offset)? as usize;
        (probe(view.bytes.get(at..)?) == Probe::Match(side)).then_some(at)
    })
}

/// Whether it is the first byte of a whole message, or of a control frame.
fn begins(first: u8) -> bool {
    first & 0x80 != 0 && first & 0x0f != opcode::CONTINUATION
}

/// What is known of frames in a row.
#[derive(Default)]
struct Chain {
    evidence: u32,
    /// As much of it is of what the messages say.
    said: u32,
    masked: Option<bool>,
    mask: Option<[u8; 4]>,
    /// Within a fragmented message.
    is_open: bool,
}

impl Chain {
    /// Adds a frame and what there is of its payload; false: these are no frames.
    fn add(&mut self, header: Header, payload: &[u8]) -> bool {
        let is_data = !header.is_control();
        let continues = header.opcode == opcode::CONTINUATION;
        // Runs of zeros are lawful fragments without an end.
        let is_nothing = header.len == 0 && !header.fin;
        let same = self.masked.is_none_or(|masked| masked == header.mask.is_some());
        if !same || is_nothing || (is_data && continues != self.is_open) {
            return false;
        }
        let is_whole = payload.len() as u64 == header.len;
        let said = match header.opcode {
            // What is short comes whole: an array of CBOR may begin as a frame does, but would not end as one.
            opcode::TEXT if !header.compressed && !is_whole && header.len <= frame::CONTROL => Some(0),
            opcode::TEXT if !header.compressed => frame::text(payload, header.mask),
            opcode::CLOSE if is_whole => {
                let mut reason = Vec::new();
                frame::unmask(&mut reason, payload, header.mask, 0);
                frame::is_closing(&reason).then_some(0)
            }
            _ if header.compressed && header.fin && is_whole => {
                let mut raw = Vec::new();
                frame::unmask(&mut raw, payload, header.mask, 0);
                deflate::is_message(&raw).then_some(if raw.len() > 1 { DEFLATED } else { 0 })
            }
            _ => Some(0),
        };
        let Some(said) = said else { return false };
        self.said += said;
        // Masks are random: one that comes again is a part of something else.
        let counts = header.mask.is_none() || self.mask != header.mask;
        self.evidence += said + if counts { HEADER } else { 0 };
        self.mask = header.mask;
        self.masked = Some(header.mask.is_some());
        if is_data {
            self.is_open = !header.fin;
        }
        true
    }
}

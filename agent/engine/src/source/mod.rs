//! Sources: where packets come from. The only part of the engine that touches the outside on the way in.

pub mod file;
mod input;
#[cfg(target_os = "linux")]
pub mod live;
mod pcap;
mod pcapng;

use std::fmt;

use crate::packet::{LinkType, Nanos, Packet, Sight};

/// What a source has next.
#[derive(Clone, Copy, Debug)]
pub enum Next<'a> {
    /// A packet.
    Packet(Packet<'a>),
    /// Nothing came for a while; the source lives on. Only what can make one wait (a pipe) says this.
    Idle,
    /// The end.
    End,
}

/// A capture that can't be read, or no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureError {
    /// The file, as it was named.
    pub path: String,
    /// Where reading ended, in bytes of the uncompressed capture.
    pub offset: Option<u64>,
    /// What is wrong with the file, to be read behind its name.
    pub message: String,
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.path == "-" { "standard input" } else { &self.path };
        // A name may hold anything; it must not move the cursor of the terminal that shows it.
        let name: String = name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        write!(f, "{name} {}", self.message)
    }
}

impl std::error::Error for CaptureError {}

/// A [`CaptureError`] whose file is not known at the place where it is found.
#[derive(Debug)]
struct Fault {
    offset: Option<u64>,
    message: String,
}

impl Fault {
    fn new(message: impl Into<String>) -> Self {
        Self { offset: None, message: message.into() }
    }

    fn damaged(offset: u64, what: impl fmt::Display) -> Self {
        Self { offset: Some(offset), message: format!("is damaged at byte {offset}: {what}") }
    }

    fn cut_off(offset: u64, what: impl fmt::Display) -> Self {
        Self { offset: Some(offset), message: format!("is cut off at byte {offset}: {what}") }
    }
}

/// A packet that lies in the buffer of its [`input::Input`].
#[derive(Debug)]
struct Found {
    time: Nanos,
    /// Where its bytes begin in the buffer.
    at: usize,
    len: usize,
    wire_len: u32,
    link: LinkType,
    sight: Sight,
}

/// What a file format finds in its input.
#[derive(Debug)]
enum Step {
    Packet(Found),
    Idle,
    End,
}

/// The longest packet, and the longest pcapng block, that is believed: what an interface delivers is at most 512 KiB
/// (Linux's BIG TCP); a length beyond this is damage, and believing it would skip or hold all that follows.
const MAX_PACKET: usize = 16 << 20;

#[cfg(test)]
mod tests;

//! Recordings of a tap as one pcapng that tells what is in it: names of addresses, and comments on packets.
//!
//! Blocks are copied as they are. Names come first, for whoever reads the file on its way (draft-ietf-opsawg-pcapng
//! sections 4.1, 4.3 and 4.5, and 3.5 for comments).

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::packet::Nanos;
use crate::record::{code, option};

/// A block is no larger: the largest frame and its options.
const MAX_BLOCK: usize = 1 << 20;
/// Of a name or a comment: an option's length has 16 bits.
const MAX_TEXT: usize = 4096;
/// Blocks between questions whether to go on.
const STRIDE: u64 = 1 << 14;
/// Of an enhanced packet block, up to the packet.
const PACKET_HEAD: usize = 28;

/// What is put in.
#[derive(Debug, Default)]
pub struct Annotations {
    /// On the file.
    pub comment: String,
    /// Names of addresses.
    pub names: Vec<(IpAddr, String)>,
    /// Comments by the time of the packet.
    pub comments: HashMap<Nanos, String>,
}

/// Copies recordings, the oldest first, to a new file that only its owner may read; gives the number of packets and how
/// many of them have a comment. A recording that is cut serves up to there. It is asked now and then whether to go on.
pub fn annotate(
    paths: &[impl AsRef<Path>],
    to: &Path,
    what: &Annotations,
    mut goes_on: impl FnMut() -> bool,
) -> io::Result<(u64, u64)> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(to)?;
    let mut to = BufWriter::with_capacity(256 << 10, file);
    let (mut packets, mut commented, mut blocks) = (0, 0, 0u64);
    let mut block = Vec::new();
    for path in paths {
        let mut from = BufReader::with_capacity(256 << 10, File::open(path)?);
        while next(&mut from, &mut block)? {
            blocks += 1;
            if blocks.is_multiple_of(STRIDE) && !goes_on() {
                return Err(ErrorKind::Interrupted.into());
            }
            match word(&block, 0) {
                code::SECTION => {
                    if !what.comment.is_empty() {
                        let at = 24; // behind byte order, version and length of the section
                        block.splice(at..at, text_option(code::COMMENT, &what.comment));
                        end(&mut block);
                    }
                    to.write_all(&block)?;
                    names(&what.names, &mut block);
                }
                code::PACKET if block.len() >= PACKET_HEAD + 4 => {
                    packets += 1;
                    commented += u64::from(comment(&mut block, what));
                }
                _ => {}
            }
            to.write_all(&block)?;
        }
    }
    to.flush()?;
    Ok((packets, commented))
}

/// Reads the next block; false: there is none, or only a part of one.
fn next(from: &mut impl Read, block: &mut Vec<u8>) -> io::Result<bool> {
    block.resize(8, 0);
    match from.read_exact(block) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(false),
        read => read?,
    }
    let length = word(block, 4) as usize;
    if !(12..=MAX_BLOCK).contains(&length) || !length.is_multiple_of(4) {
        return Err(io::Error::new(ErrorKind::InvalidData, "a block of impossible length"));
    }
    block.resize(length, 0);
    match from.read_exact(&mut block[8..]) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}

/// Puts a comment on a packet, if there is one for its time.
fn comment(block: &mut Vec<u8>, what: &Annotations) -> bool {
    let time = (u64::from(word(block, 12)) << 32 | u64::from(word(block, 16))).cast_signed();
    let captured = (word(block, 20) as usize).next_multiple_of(4);
    let (options, length) = (PACKET_HEAD + captured, block.len());
    let Some(text) = what.comments.get(&time).filter(|_| options + 4 <= length) else { return false };
    let mut added = text_option(code::COMMENT, text);
    if options + 4 == length {
        added.extend([0; 4]); // it had no options: this is their end
    }
    block.splice(options..options, added);
    end(block);
    true
}

/// The block of names; empty without any.
fn names(names: &[(IpAddr, String)], block: &mut Vec<u8>) {
    block.clear();
    if names.is_empty() {
        return;
    }
    block.extend(code::NAMES.to_le_bytes());
    block.extend([0; 4]);
    for (address, name) in names {
        let name = cut(name);
        let mut value = match address {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        value.extend(name.bytes().filter(|&byte| byte != 0));
        value.push(0);
        option(block, if address.is_ipv4() { code::NAME_V4 } else { code::NAME_V6 }, &value);
    }
    block.extend([0; 8]); // end of records; length
    end(block);
}

fn text_option(code: u16, text: &str) -> Vec<u8> {
    let mut made = Vec::new();
    option(&mut made, code, cut(text).as_bytes());
    made
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Writes a block's length at both its ends.
fn end(block: &mut [u8]) {
    let length = (block.len() as u32).to_le_bytes();
    block[4..8].copy_from_slice(&length);
    let at = block.len() - 4;
    block[at..].copy_from_slice(&length);
}

fn word(block: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]])
}

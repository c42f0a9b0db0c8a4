//! Packets to pcapng (draft-ietf-opsawg-pcapng): the raw packets of a tap beside its records, or those of one
//! connection.

use std::io::{self, Write};

use crate::packet::{Direction, LinkType, Packet};

/// Interfaces that are described; packets of further ones are written to the last.
const MAX_INTERFACES: usize = 65_536;

/// Block types and options (sections 3.5 and 4).
pub(crate) mod code {
    pub(crate) const SECTION: u32 = 0x0a0d_0d0a;
    pub(crate) const INTERFACE: u32 = 1;
    pub(crate) const NAMES: u32 = 4;
    pub(crate) const PACKET: u32 = 6;
    pub(crate) const BYTE_ORDER: u32 = 0x1a2b_3c4d;
    pub(crate) const COMMENT: u16 = 1;
    pub(crate) const USER_APPLICATION: u16 = 4;
    pub(crate) const INTERFACE_NAME: u16 = 2;
    pub(crate) const RESOLUTION: u16 = 9;
    pub(crate) const FLAGS: u16 = 2;
    pub(crate) const NAME_V4: u16 = 1;
    pub(crate) const NAME_V6: u16 = 2;
}

/// Writes one section, its interfaces described as their packets come.
pub struct PcapngWriter<W: Write> {
    to: W,
    interfaces: Vec<(u32, LinkType)>,
    block: Vec<u8>,
    written: u64,
}

impl<W: Write> PcapngWriter<W> {
    /// Writes the section's header.
    pub fn new(to: W) -> io::Result<Self> {
        let mut writer = Self { to, interfaces: Vec::new(), block: Vec::new(), written: 0 };
        writer.begin(code::SECTION);
        writer.word(code::BYTE_ORDER);
        writer.word(1); // version 1.0, the major number first: little-endian
        writer.block.extend([0xff; 8]); // the section's length is not known
        writer.option(code::USER_APPLICATION, b"tapper");
        writer.word(0); // end of options
        writer.finish()?;
        Ok(writer)
    }

    /// Bytes so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Bytes that a packet takes at most, its interface's description not counted.
    pub fn size(packet: &Packet<'_>) -> u64 {
        64 + packet.data.len() as u64
    }

    /// Writes a packet; `name` gives that of its interface when it is described.
    pub fn packet(&mut self, packet: &Packet<'_>, name: impl FnOnce() -> Option<String>) -> io::Result<()> {
        let key = (packet.sight.interface, packet.link);
        let interface = match self.interfaces.iter().position(|&known| known == key) {
            Some(at) => at,
            None if self.interfaces.len() == MAX_INTERFACES => MAX_INTERFACES - 1,
            None => {
                self.interface(packet.link, name())?;
                self.interfaces.push(key);
                self.interfaces.len() - 1
            }
        };
        // The tag goes back to where it was: behind the addresses of the Ethernet header.
        let tag = packet.vlan.filter(|_| packet.link == LinkType::ETHERNET && packet.data.len() >= 14);
        let tag_len = if tag.is_some() { 4 } else { 0 };
        let (len, wire_len) = (packet.data.len() + tag_len, packet.wire_len as usize + tag_len);
        let stamp = packet.time.max(0).cast_unsigned();
        self.begin(code::PACKET);
        for word in [interface as u32, (stamp >> 32) as u32, stamp as u32, len as u32, wire_len as u32] {
            self.word(word);
        }
        let (front, back) = packet.data.split_at(if tag.is_some() { 12 } else { 0 });
        self.block.extend(front);
        if let Some((protocol, tag)) = tag {
            self.block.extend([protocol.to_be_bytes(), tag.to_be_bytes()].concat());
        }
        self.block.extend(back);
        pad(&mut self.block);
        let direction = match packet.sight.direction {
            Direction::Unknown => 0u32,
            Direction::In => 1,
            Direction::Out => 2,
        };
        if direction != 0 {
            self.option(code::FLAGS, &direction.to_le_bytes());
            self.word(0); // end of options
        }
        self.finish()
    }

    fn interface(&mut self, link: LinkType, name: Option<String>) -> io::Result<()> {
        self.begin(code::INTERFACE);
        self.word(link.0.into());
        self.word(0); // no snap length
        if let Some(name) = name {
            self.option(code::INTERFACE_NAME, name.as_bytes());
        }
        self.option(code::RESOLUTION, &[9]); // nanoseconds
        self.word(0);
        self.finish()
    }

    fn begin(&mut self, kind: u32) {
        self.block.clear();
        self.word(kind);
        self.word(0); // the length, once it is known
    }

    fn word(&mut self, word: u32) {
        self.block.extend(word.to_le_bytes());
    }

    fn option(&mut self, code: u16, value: &[u8]) {
        option(&mut self.block, code, value);
    }

    fn finish(&mut self) -> io::Result<()> {
        let len = self.block.len() as u32 + 4;
        self.block[4..8].copy_from_slice(&len.to_le_bytes());
        self.word(len);
        self.to.write_all(&self.block)?;
        self.written += u64::from(len);
        Ok(())
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.to
    }

    /// Writes out what a buffer may hold.
    pub fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Appends an option: its code, its length, its value.
pub(crate) fn option(block: &mut Vec<u8>, code: u16, value: &[u8]) {
    block.extend(code.to_le_bytes());
    block.extend((value.len() as u16).to_le_bytes());
    block.extend(value);
    pad(block);
}

/// To a multiple of 32 bits.
pub(crate) fn pad(block: &mut Vec<u8>) {
    block.resize(block.len().next_multiple_of(4), 0);
}

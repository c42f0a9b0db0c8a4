//! The pcapng format: sections of blocks (draft-ietf-opsawg-pcapng).
//!
//! Blocks are cut out of the input and packets read here, bounded and told apart from damage; what describes them
//! (section, interface, names) is read by pcap-parser, save for the clock's options, where it falls short: resolutions
//! that are powers of two, and offsets in big-endian sections.

use pcap_parser::nom::IResult;
use pcap_parser::{
    InterfaceDescriptionBlock, NameRecordType, NameResolutionBlock, OptionCode, PcapError, PcapNGOption,
    parse_interfacedescriptionblock_be, parse_interfacedescriptionblock_le, parse_nameresolutionblock_be,
    parse_nameresolutionblock_le, parse_sectionheaderblock,
};

use super::input::{Fill, Input};
use super::{Fault, Found, MAX_PACKET, Step};
use crate::packet::{Addr, Direction, LinkType, Nanos, Sight};

/// Block types that are looked into (section 4, and the obsolete packet block of appendix A).
mod block {
    pub(super) const SECTION: u32 = 0x0a0d_0d0a;
    pub(super) const INTERFACE: u32 = 1;
    pub(super) const OBSOLETE_PACKET: u32 = 2;
    pub(super) const SIMPLE_PACKET: u32 = 3;
    pub(super) const NAMES: u32 = 4;
    pub(super) const ENHANCED_PACKET: u32 = 6;
}

/// Interfaces of one section: a capture of all containers of a large node has some thousands.
const MAX_INTERFACES: usize = 65_536;

/// Names that wait to be taken.
const MAX_NAMES: usize = 65_536;

/// The state of one file.
#[derive(Debug, Default)]
pub(super) struct Pcapng {
    big_endian: bool,
    interfaces: Vec<Interface>,
    /// Interfaces of the sections before.
    earlier_interfaces: u32,
    /// For packets that have no time of their own.
    last_time: Nanos,
    pub(super) names: Vec<(Addr, String)>,
}

/// What an interface's packets are read with.
#[derive(Debug)]
struct Interface {
    link: LinkType,
    snap_len: u32,
    clock: Clock,
}

impl Pcapng {
    #[inline]
    pub(super) fn next(&mut self, input: &mut Input) -> Result<Step, Fault> {
        loop {
            let bytes = input.bytes();
            let mut need = 12;
            if let Some(head) = bytes.first_chunk::<12>() {
                let (words, _) = head.as_chunks::<4>();
                let section = words[0] == block::SECTION.to_be_bytes();
                let big_endian = if section { self.byte_order(words[2], input.offset())? } else { self.big_endian };
                let word = |bytes| if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
                let len = word(words[1]) as usize;
                if !(12..=MAX_PACKET).contains(&len) {
                    return Err(Fault::damaged(input.offset(), format_args!("a block of {len} bytes can't be")));
                }
                // Some writers leave the padding out of the length.
                need = len.next_multiple_of(4);
                if let Some(block) = bytes.get(..need) {
                    if word([block[need - 4], block[need - 3], block[need - 2], block[need - 1]]) as usize != len {
                        let what = format_args!("a block of {len} bytes that does not end where it should");
                        return Err(Fault::damaged(input.offset(), what));
                    }
                    self.big_endian = big_endian;
                    let found = match self.block(word(words[0]), block) {
                        Ok(found) => found,
                        Err(what) => return Err(Fault::damaged(input.offset(), what)),
                    };
                    let at = input.consume(need);
                    match found {
                        Some(found) => return Ok(Step::Packet(Found { at: at + found.at, ..found })),
                        None => continue,
                    }
                }
            }
            match input.fill(need)? {
                Fill::Ready => {}
                Fill::Idle => return Ok(Step::Idle),
                Fill::End if input.bytes().is_empty() => return Ok(Step::End),
                Fill::End => {
                    let (have, offset) = (input.bytes().len(), input.offset());
                    return Err(Fault::cut_off(offset, format_args!("of a block of {need} bytes, {have} are there")));
                }
            }
        }
    }

    fn byte_order(&self, magic: [u8; 4], offset: u64) -> Result<bool, Fault> {
        match magic {
            [0x1a, 0x2b, 0x3c, 0x4d] => Ok(true),
            [0x4d, 0x3c, 0x2b, 0x1a] => Ok(false),
            _ => Err(Fault::damaged(offset, "a section without a byte order")),
        }
    }

    /// Reads a whole block; gives the packet in it, if it is one, its place counted from the block's start.
    #[inline]
    fn block(&mut self, kind: u32, bytes: &[u8]) -> Result<Option<Found>, String> {
        match kind {
            block::ENHANCED_PACKET => self.packet(bytes, |word| word).map(Some),
            // The interface shares its word with a count of drops, and comes first.
            block::OBSOLETE_PACKET if self.big_endian => self.packet(bytes, |word| word >> 16).map(Some),
            block::OBSOLETE_PACKET => self.packet(bytes, |word| word & 0xffff).map(Some),
            block::SIMPLE_PACKET => self.simple_packet(bytes).map(Some),
            block::SECTION => self.section(bytes).map(|()| None),
            block::INTERFACE => self.interface(bytes).map(|()| None),
            block::NAMES => {
                self.take_names(bytes);
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// Packet blocks with a header of five words.
    #[inline]
    fn packet(&mut self, bytes: &[u8], interface: impl Fn(u32) -> u32) -> Result<Found, String> {
        let Some(head) = bytes[8..bytes.len() - 4].first_chunk::<20>() else {
            return Err("a packet block too short for its header".to_string());
        };
        let (words, _) = head.as_chunks::<4>();
        let word = |i: usize| if self.big_endian { u32::from_be_bytes(words[i]) } else { u32::from_le_bytes(words[i]) };
        let (id, len) = (interface(word(0)), word(3) as usize);
        if len > bytes.len() - 32 {
            return Err(format!("a packet of {len} bytes in a block of {}", bytes.len()));
        }
        let Some(interface) = self.interfaces.get(id as usize) else {
            return Err(format!("a packet of interface {id}, which is not described"));
        };
        self.last_time = interface.clock.time(u64::from(word(1)) << 32 | u64::from(word(2)));
        Ok(Found {
            time: self.last_time,
            at: 28,
            len,
            wire_len: word(4).max(len as u32),
            link: interface.link,
            sight: Sight {
                interface: self.earlier_interfaces.saturating_add(id),
                direction: self.direction(&bytes[(28 + len.next_multiple_of(4)).min(bytes.len() - 4)..]),
            },
        })
    }

    /// From the options of a packet, the block's closing length behind them.
    #[inline]
    fn direction(&self, mut options: &[u8]) -> Direction {
        const FLAGS: u16 = 2;
        let half = |bytes| if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) };
        while options.len() > 8 {
            let (code, len) = (half([options[0], options[1]]), usize::from(half([options[2], options[3]])));
            if code == FLAGS && len == 4 {
                let low = if self.big_endian { options[7] } else { options[4] };
                return [Direction::Unknown, Direction::In, Direction::Out, Direction::Unknown][usize::from(low & 3)];
            }
            options = options.get(4 + len.next_multiple_of(4)..).unwrap_or_default();
        }
        Direction::Unknown
    }

    fn simple_packet(&mut self, bytes: &[u8]) -> Result<Found, String> {
        let Some(&wire_len) = bytes[8..bytes.len() - 4].first_chunk::<4>() else {
            return Err("a packet block too short for its header".to_string());
        };
        let wire_len = if self.big_endian { u32::from_be_bytes(wire_len) } else { u32::from_le_bytes(wire_len) };
        let Some(interface) = self.interfaces.first() else {
            return Err("a packet before any interface is described".to_string());
        };
        // How much was captured is not written, it follows. A snap length of 0 is none.
        let snap_len = if interface.snap_len == 0 { u32::MAX } else { interface.snap_len };
        let len = (wire_len.min(snap_len) as usize).min(bytes.len() - 16);
        let sight = Sight { interface: self.earlier_interfaces, direction: Direction::Unknown };
        Ok(Found { time: self.last_time, at: 12, len, wire_len, link: interface.link, sight })
    }

    fn section(&mut self, bytes: &[u8]) -> Result<(), String> {
        let (_, section) = parse_sectionheaderblock(bytes).map_err(|_| "a section header can't be read".to_string())?;
        if section.major_version != 1 {
            return Err(format!("a section of pcapng version {}, which is not known", section.major_version));
        }
        self.earlier_interfaces = self.earlier_interfaces.saturating_add(self.interfaces.len() as u32);
        self.interfaces.clear();
        Ok(())
    }

    fn interface(&mut self, bytes: &[u8]) -> Result<(), String> {
        type Parse = for<'a> fn(&'a [u8]) -> IResult<&'a [u8], InterfaceDescriptionBlock<'a>, PcapError<&'a [u8]>>;
        let parse: Parse =
            if self.big_endian { parse_interfacedescriptionblock_be } else { parse_interfacedescriptionblock_le };
        let (_, interface) = parse(bytes).map_err(|_| "an interface description can't be read".to_string())?;
        if self.interfaces.len() == MAX_INTERFACES {
            return Err(format!("more than {MAX_INTERFACES} interfaces"));
        }
        self.interfaces.push(Interface {
            link: LinkType(interface.linktype.0 as u16),
            snap_len: interface.snaplen,
            clock: Clock::new(&interface.options, self.big_endian),
        });
        Ok(())
    }

    fn take_names(&mut self, bytes: &[u8]) {
        type Parse = for<'a> fn(&'a [u8]) -> IResult<&'a [u8], NameResolutionBlock<'a>, PcapError<&'a [u8]>>;
        let parse: Parse = if self.big_endian { parse_nameresolutionblock_be } else { parse_nameresolutionblock_le };
        let Ok((_, names)) = parse(bytes) else { return };
        for record in names.nr {
            let (addr, texts) = match (record.record_type, record.record_value) {
                (NameRecordType::Ipv4, [a, b, c, d, texts @ ..]) => (Addr::v4([*a, *b, *c, *d]), texts),
                (NameRecordType::Ipv6, value) => match value.split_first_chunk() {
                    Some((addr, texts)) => (Addr::v6(*addr), texts),
                    None => continue,
                },
                _ => continue,
            };
            let texts = texts.split(|&byte| byte == 0).filter(|text| !text.is_empty());
            let room = MAX_NAMES - self.names.len();
            self.names.extend(texts.take(room).map(|text| (addr, String::from_utf8_lossy(text).into_owned())));
        }
    }
}

/// From an interface's time stamps to nanoseconds.
#[derive(Debug)]
struct Clock {
    scale: Scale,
    offset: i128,
}

#[derive(Debug)]
enum Scale {
    Multiply(u64),
    Divide(u64),
    /// Units of a second divided by this power of two.
    Shift(u8),
}

impl Clock {
    fn new(options: &[PcapNGOption<'_>], big_endian: bool) -> Self {
        let value = |code| options.iter().find(|option| option.code == code).map(PcapNGOption::value);
        let resolution = value(OptionCode::IfTsresol).and_then(|value| value.first().copied()).unwrap_or(6);
        let scale = match resolution {
            0..=9 => Scale::Multiply(10u64.pow(9 - u32::from(resolution))),
            // A unit so small that no stamp of 64 bits reaches a nanosecond is no clock.
            10..=127 => 10u64.checked_pow(u32::from(resolution) - 9).map_or(Scale::Multiply(0), Scale::Divide),
            128.. => Scale::Shift(resolution & 0x7f),
        };
        let seconds = value(OptionCode::IfTsoffset)
            .and_then(<[u8]>::first_chunk)
            .map_or(0, |bytes| if big_endian { i64::from_be_bytes(*bytes) } else { i64::from_le_bytes(*bytes) });
        Self { scale, offset: i128::from(seconds) * 1_000_000_000 }
    }

    /// A time before 1970 or after 2262 becomes the nearest that can be told.
    #[inline]
    fn time(&self, stamp: u64) -> Nanos {
        let nanos = match self.scale {
            Scale::Multiply(factor) => u128::from(stamp) * u128::from(factor),
            Scale::Divide(divisor) => u128::from(stamp / divisor),
            Scale::Shift(bits) => (u128::from(stamp) * 1_000_000_000) >> bits,
        };
        (nanos as i128 + self.offset).clamp(0, i128::from(Nanos::MAX)) as Nanos
    }
}

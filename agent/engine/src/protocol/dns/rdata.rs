//! The data of records as text, in the form of master files (RFC 1035 section 5).

use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::message::Record;
use super::{name, words};

/// Bytes of data of an unknown kind that are shown.
const HEX: usize = 64;

/// Appends the data of a record, in printable ASCII. What does not have the form of its type is shown as hexadecimal
/// digits (RFC 3597 section 5).
pub(super) fn push(message: &[u8], record: &Record, out: &mut Vec<u8>) {
    let start = out.len();
    let data = Data { message, at: record.data.0, end: record.data.1 };
    if known(data, record, out).is_none() {
        out.truncate(start);
        let bytes = &message[record.data.0..record.data.1];
        _ = write!(out, "\\# {}", bytes.len());
        if !bytes.is_empty() {
            out.push(b' ');
            hex(&bytes[..bytes.len().min(HEX)], out);
        }
        if bytes.len() > HEX {
            out.extend_from_slice(b"...");
        }
    }
}

fn known(mut data: Data<'_>, record: &Record, out: &mut Vec<u8>) -> Option<()> {
    match record.record_type {
        1 => write!(out, "{}", Ipv4Addr::from(data.array::<4>()?)).ok()?,
        28 => write!(out, "{}", Ipv6Addr::from(data.array::<16>()?)).ok()?,
        // NS, CNAME, PTR, DNAME
        2 | 5 | 12 | 39 => data.name(out)?,
        // MX, AFSDB
        15 | 18 => {
            data.number(2, out)?;
            data.name(out)?;
        }
        // SRV
        33 => {
            for _ in 0..3 {
                data.number(2, out)?;
            }
            data.name(out)?;
        }
        // SOA
        6 => {
            data.name(out)?;
            out.push(b' ');
            data.name(out)?;
            for _ in 0..5 {
                out.push(b' ');
                write!(out, "{}", data.u32()?).ok()?;
            }
        }
        // TXT, SPF, HINFO
        16 | 99 | 13 => {
            while data.at < data.end {
                data.string(out)?;
            }
            out.pop();
        }
        // CAA
        257 => {
            data.number(1, out)?;
            let len = usize::from(data.array::<1>()?[0]);
            data.take(len)?.iter().for_each(|&byte| name::push(byte, true, out));
            out.push(b' ');
            quoted(data.rest(), out);
        }
        // NAPTR
        35 => {
            data.number(2, out)?;
            data.number(2, out)?;
            for _ in 0..3 {
                data.string(out)?;
            }
            data.name(out)?;
        }
        // DS, CDS; TLSA, SMIMEA; SSHFP
        kind @ (43 | 59 | 52 | 53 | 44) => {
            for width in match kind {
                43 | 59 => &[2, 1, 1][..],
                44 => &[1, 1],
                _ => &[1, 1, 1],
            } {
                data.number(*width, out)?;
            }
            hex(data.rest(), out);
        }
        // RRSIG: what it covers, by whom and until when; the signature is of no use to a reader.
        46 => {
            let covered = data.u16()?;
            out.extend_from_slice(words::record_type(covered).as_bytes());
            out.push(b' ');
            data.number(1, out)?;
            data.number(1, out)?;
            for _ in 0..3 {
                write!(out, "{} ", data.u32()?).ok()?;
            }
            data.number(2, out)?;
            data.name(out)?;
        }
        // SVCB, HTTPS (RFC 9460 section 2)
        64 | 65 => {
            data.number(2, out)?;
            data.name(out)?;
            while data.at < data.end {
                out.push(b' ');
                data.service_parameter(out)?;
            }
        }
        super::message::OPT => {
            write!(out, "udp={}", record.class).ok()?;
            if record.ttl & 0x8000 != 0 {
                out.extend_from_slice(b" do");
            }
            while data.at < data.end {
                out.push(b' ');
                data.option(out)?;
            }
        }
        _ => return None,
    }
    // Bytes behind the data mean that it is of another form.
    (data.at == data.end).then_some(())
}

/// What is left of a record's data.
struct Data<'a> {
    message: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Data<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let taken = self.message[..self.end].get(self.at..self.at + len)?;
        self.at += len;
        Some(taken)
    }

    fn rest(&mut self) -> &'a [u8] {
        let rest = &self.message[self.at..self.end];
        self.at = self.end;
        rest
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// A number of one or two bytes and a blank.
    fn number(&mut self, width: usize, out: &mut Vec<u8>) -> Option<()> {
        let number = self.take(width)?.iter().fold(0u32, |number, &byte| number << 8 | u32::from(byte));
        write!(out, "{number} ").ok()
    }

    /// A name, which may be compressed.
    fn name(&mut self, out: &mut Vec<u8>) -> Option<()> {
        self.at = name::read(self.message, self.at, out).filter(|&end| end <= self.end)?;
        Some(())
    }

    /// A character string in quotes and a blank.
    fn string(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let len = usize::from(self.array::<1>()?[0]);
        quoted(self.take(len)?, out);
        out.push(b' ');
        Some(())
    }

    fn service_parameter(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let (key, len) = (self.u16()?, usize::from(self.u16()?));
        let end = self.at + len;
        let mut value = Data { message: self.message, at: self.at, end };
        self.take(len)?;
        let key_name = ["mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath"];
        match key_name.get(usize::from(key)) {
            Some(name) => out.extend_from_slice(name.as_bytes()),
            None => write!(out, "key{key}").ok()?,
        }
        if len == 0 {
            return Some(());
        }
        out.push(b'=');
        let list = out.len();
        while value.at < end {
            if out.len() > list {
                out.push(b',');
            }
            match key {
                0 | 3 => write!(out, "{}", value.u16()?).ok()?,
                1 => {
                    let len = usize::from(value.array::<1>()?[0]);
                    value.take(len)?.iter().for_each(|&byte| name::push(byte, true, out));
                }
                4 => write!(out, "{}", Ipv4Addr::from(value.array::<4>()?)).ok()?,
                6 => write!(out, "{}", Ipv6Addr::from(value.array::<16>()?)).ok()?,
                7 => value.rest().iter().for_each(|&byte| name::push(byte, false, out)),
                _ => hex(value.rest(), out),
            }
        }
        Some(())
    }

    /// An EDNS option.
    fn option(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let (code, len) = (self.u16()?, usize::from(self.u16()?));
        let value = self.take(len)?;
        match (code, value) {
            // Client subnet (RFC 7871 section 6).
            (8, [0, 1, source, scope, address @ ..]) if address.len() <= 4 => {
                let mut whole = [0; 4];
                whole[..address.len()].copy_from_slice(address);
                write!(out, "subnet={}/{source}/{scope}", Ipv4Addr::from(whole)).ok()
            }
            (8, [0, 2, source, scope, address @ ..]) if address.len() <= 16 => {
                let mut whole = [0; 16];
                whole[..address.len()].copy_from_slice(address);
                write!(out, "subnet={}/{source}/{scope}", Ipv6Addr::from(whole)).ok()
            }
            // Extended error (RFC 8914 section 2).
            (15, [high, low, text @ ..]) => {
                let number = u16::from_be_bytes([*high, *low]);
                write!(out, "error={number} ({})", words::extended_error(number)).ok()?;
                if !text.is_empty() {
                    out.push(b' ');
                    quoted(text, out);
                }
                Some(())
            }
            (10, cookie) => {
                out.extend_from_slice(b"cookie=");
                hex(cookie, out);
                Some(())
            }
            (12, padding) => write!(out, "padding={}", padding.len()).ok(),
            (_, value) => write!(out, "option{code}={}", value.len()).ok(),
        }
    }
}

fn quoted(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    text.iter().for_each(|&byte| name::push(byte, false, out));
    out.push(b'"');
}

fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        _ = write!(out, "{byte:02x}");
    }
}

//! DNS messages (RFC 1035 section 4), read as far as they go: an answer cut off by a snap length or by a hostile sender
//! still tells its question and what came before the cut. Crates give all of a message or nothing.

use std::fmt::Write;

/// Header and first question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub id: u16,
    pub is_response: bool,
    pub opcode: u8,
    pub rcode: u8,
    /// Name asked for, in presentation form without the last dot; the root is ".".
    pub name: String,
    pub kind: u16,
    /// Records announced: answer, authority, additional.
    pub counts: [u16; 3],
    /// Where the records begin.
    pub end: usize,
}

const HEADER: usize = 12;
/// Names of more bytes than this don't exist (RFC 1035 section 3.1).
const NAME: usize = 255;
/// Records that are shown of one section; a UDP answer rarely has more than a few dozen.
const RECORDS: u16 = 64;

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(u16_at(bytes, at)?) << 16 | u32::from(u16_at(bytes, at + 2)?))
}

/// Reads the name at `at`; gives it in presentation form, and where it ends.
fn name(bytes: &[u8], at: usize) -> Option<(String, usize)> {
    let (mut text, mut at, mut end, mut length) = (String::new(), at, None, 0);
    loop {
        let len = usize::from(*bytes.get(at)?);
        match len {
            0 => break,
            1..=63 => {
                length += len + 1;
                if length >= NAME {
                    return None;
                }
                if !text.is_empty() {
                    text.push('.');
                }
                for &byte in bytes.get(at + 1..at + 1 + len)? {
                    match byte {
                        b'.' | b'\\' => text.extend(['\\', byte as char]),
                        b'!'..=b'~' => text.push(byte as char),
                        _ => {
                            let _ = write!(text, "\\{byte:03}");
                        }
                    }
                }
                at += 1 + len;
            }
            // A pointer leads back only, so that none is followed for ever.
            192.. => {
                let target = usize::from(u16_at(bytes, at)? & 0x3fff);
                end.get_or_insert(at + 2);
                if target >= at {
                    return None;
                }
                at = target;
            }
            _ => return None,
        }
    }
    if text.is_empty() {
        text.push('.');
    }
    Some((text, end.unwrap_or(at + 1)))
}

/// Reads header and first question.
pub(super) fn question(bytes: &[u8]) -> Option<Question> {
    let flags = u16_at(bytes, 2)?;
    let count = u16_at(bytes, 4)?;
    let counts = [u16_at(bytes, 6)?, u16_at(bytes, 8)?, u16_at(bytes, 10)?];
    if count != 1 {
        return None;
    }
    let (name, end) = name(bytes, HEADER)?;
    Some(Question {
        id: u16_at(bytes, 0)?,
        is_response: flags & 0x8000 != 0,
        opcode: (flags >> 11 & 0xf) as u8,
        rcode: (flags & 0xf) as u8,
        name,
        kind: u16_at(bytes, end)?,
        counts,
        end: end + 4,
    })
}

/// Whether a datagram is a DNS message: every field of the header makes sense, the class is one that is used, and,
/// in a query, the records fill the message to its last byte.
pub(super) fn is_dns(bytes: &[u8]) -> bool {
    let Some(flags) = u16_at(bytes, 2) else { return false };
    // Opcodes QUERY, NOTIFY, UPDATE; the reserved bit is zero.
    if !matches!(flags >> 11 & 0xf, 0 | 4 | 5) || flags & 0x0040 != 0 {
        return false;
    }
    let Some(question) = question(bytes) else { return false };
    let class = u16_at(bytes, question.end - 2);
    // IN, CH, ANY; the top bit is mDNS's (RFC 6762 section 5.4).
    if !matches!(class.map(|class| class & 0x7fff), Some(1 | 3 | 255)) || !is_kind(question.kind) {
        return false;
    }
    if question.is_response {
        return question.rcode <= 10 && question.counts.iter().all(|&count| count < 1024);
    }
    let mut at = question.end;
    for _ in 0..question.counts.iter().map(|&n| u32::from(n)).sum::<u32>().min(32) {
        let Some((.., end)) = record(bytes, at) else { return false };
        at = end;
    }
    question.rcode == 0 && at == bytes.len()
}

fn is_kind(kind: u16) -> bool {
    matches!(kind, 1..=65 | 99..=109 | 249..=258 | 32768 | 32769)
}

/// Owner, type, class, time to live, where the data is, and where the record ends.
fn record(bytes: &[u8], at: usize) -> Option<(String, u16, u32, std::ops::Range<usize>, usize)> {
    let (owner, at) = name(bytes, at)?;
    let (kind, ttl, len) = (u16_at(bytes, at)?, u32_at(bytes, at + 4)?, usize::from(u16_at(bytes, at + 8)?));
    let data = at + 10..at + 10 + len;
    (data.end <= bytes.len()).then(|| (owner, kind, ttl, data.clone(), data.end))
}

/// The records as JSON text; says whether all that were announced are there.
pub(super) fn records(bytes: &[u8], question: &Question, out: &mut Vec<u8>) -> bool {
    let mut text = String::from("{");
    let (mut at, mut whole) = (question.end, true);
    for (section, count) in ["answers", "authority", "additional"].into_iter().zip(question.counts) {
        if section != "answers" {
            text.push(',');
        }
        let _ = write!(text, "\"{section}\":[");
        let mut first = true;
        for n in 0..count {
            let Some((owner, kind, ttl, data, end)) = record(bytes, at).filter(|_| whole) else {
                whole = false;
                break;
            };
            at = end;
            const OPT: u16 = 41; // says something of the sender, nothing of the name
            if kind == OPT || n >= RECORDS {
                continue;
            }
            if !std::mem::take(&mut first) {
                text.push(',');
            }
            text.push_str("{\"name\":");
            json(&owner, &mut text);
            let _ = write!(text, ",\"type\":\"{}\",\"ttl\":{ttl},\"data\":", kind_name(kind));
            json(&show(bytes, kind, data), &mut text);
            text.push('}');
        }
        text.push(']');
    }
    text.push('}');
    out.extend_from_slice(text.as_bytes());
    whole
}

fn json(value: &str, out: &mut String) {
    out.push('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\0'..='\x1f' | '\x7f' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

/// The data of a record in presentation form; in hexadecimal (RFC 3597 section 5) where that is not known.
fn show(bytes: &[u8], kind: u16, data: std::ops::Range<usize>) -> String {
    let raw = &bytes[data.clone()];
    let name_at = |at: usize| name(bytes, at).map(|(name, _)| name);
    let shown = match kind {
        1 => <[u8; 4]>::try_from(raw).ok().map(|a| std::net::Ipv4Addr::from(a).to_string()),
        28 => <[u8; 16]>::try_from(raw).ok().map(|a| std::net::Ipv6Addr::from(a).to_string()),
        2 | 5 | 12 | 39 => name_at(data.start),
        15 => u16_at(raw, 0).zip(name_at(data.start + 2)).map(|(preference, host)| format!("{preference} {host}")),
        16 => {
            let (mut text, mut rest) = (String::new(), raw);
            while let Some((&len, tail)) = rest.split_first() {
                let (part, tail) = tail.split_at(usize::from(len).min(tail.len()));
                text.push_str(&String::from_utf8_lossy(part));
                rest = tail;
            }
            Some(text)
        }
        33 => match (u16_at(raw, 0), u16_at(raw, 2), u16_at(raw, 4), name_at(data.start + 6)) {
            (Some(priority), Some(weight), Some(port), Some(host)) => {
                Some(format!("{priority} {weight} {port} {host}"))
            }
            _ => None,
        },
        6 => name(bytes, data.start).and_then(|(server, at)| Some(format!("{server} {}", name(bytes, at)?.0))),
        _ => None,
    };
    shown.unwrap_or_else(|| {
        raw.iter().take(256).fold(format!("\\# {} ", raw.len()), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    })
}

/// Types by number (IANA, DNS parameters).
pub(super) fn kind_name(kind: u16) -> std::borrow::Cow<'static, str> {
    match kind {
        1 => "A",
        2 => "NS",
        5 => "CNAME",
        6 => "SOA",
        12 => "PTR",
        13 => "HINFO",
        15 => "MX",
        16 => "TXT",
        28 => "AAAA",
        29 => "LOC",
        33 => "SRV",
        35 => "NAPTR",
        39 => "DNAME",
        43 => "DS",
        44 => "SSHFP",
        46 => "RRSIG",
        47 => "NSEC",
        48 => "DNSKEY",
        50 => "NSEC3",
        52 => "TLSA",
        64 => "SVCB",
        65 => "HTTPS",
        250 => "TSIG",
        251 => "IXFR",
        252 => "AXFR",
        255 => "ANY",
        257 => "CAA",
        _ => return format!("TYPE{kind}").into(),
    }
    .into()
}

/// Response codes by number (RFC 1035, RFC 2136).
pub(super) fn rcode_name(rcode: u8) -> &'static str {
    match rcode {
        0 => "NOERROR",
        1 => "FORMERR",
        2 => "SERVFAIL",
        3 => "NXDOMAIN",
        4 => "NOTIMP",
        5 => "REFUSED",
        6 => "YXDOMAIN",
        7 => "YXRRSET",
        8 => "NXRRSET",
        9 => "NOTAUTH",
        10 => "NOTZONE",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn query() -> Vec<u8> {
        let mut bytes = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        bytes.extend(b"\x06orders\x04shop\0\0\x01\0\x01");
        bytes
    }

    #[test]
    fn a_query_is_read() {
        let question = question(&query()).unwrap();
        assert_eq!((question.name.as_str(), question.kind, question.is_response), ("orders.shop", 1, false));
        assert!(is_dns(&query()));
    }

    #[test]
    fn an_answer_is_shown_as_json() {
        let mut bytes = query();
        bytes[2] = 0x81;
        bytes[7] = 1;
        bytes.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 9]);
        let mut out = Vec::new();
        assert!(records(&bytes, &question(&bytes).unwrap(), &mut out));
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"answers":[{"name":"orders.shop","type":"A","ttl":60,"data":"10.0.0.9"}],"authority":[],"additional":[]}"#
        );
    }

    #[test]
    fn a_name_that_points_at_itself_is_none() {
        assert!(!is_dns(&[0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1]));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            is_dns(&bytes);
            if let Some(question) = question(&bytes) {
                records(&bytes, &question, &mut Vec::new());
            }
        }

        #[test]
        fn random_bytes_are_no_dns(bytes in prop::collection::vec(any::<u8>(), 12..200)) {
            prop_assert!(!is_dns(&bytes));
        }
    }
}

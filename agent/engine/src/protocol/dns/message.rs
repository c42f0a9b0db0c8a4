//! The header, the first question and the bounds of the records of a DNS message (RFC 1035 section 4).

use super::name;

/// Bytes of the header.
const HEADER: usize = 12;
/// Type of the pseudo record that holds the extended part of the header (RFC 6891 section 6.1).
pub(super) const OPT: u16 = 41;

/// A message, as far as it could be read: it may be cut anywhere behind its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    pub(super) bytes: &'a [u8],
    /// Pairs a response with its query.
    pub id: u16,
    /// Whether it is a response.
    pub is_response: bool,
    /// See [`super::words::opcode`].
    pub opcode: u8,
    /// AA: the answer is authoritative.
    pub authoritative: bool,
    /// TC: it was cut to fit the transport.
    pub truncated: bool,
    /// RD: recursion is desired.
    pub recursion_desired: bool,
    /// RA: recursion is available.
    pub recursion_available: bool,
    /// AD: the data is authenticated.
    pub authentic: bool,
    /// How many questions it says to have.
    pub questions: u16,
    /// How many records its answer, authority and additional sections say to have.
    pub records: [u16; 3],
    /// The first question.
    pub question: Option<Question>,
    code: u8,
    /// Where the records begin; none: the questions could not be read.
    records_at: Option<usize>,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The name as text, odd bytes escaped, as it was written (upper case means nothing).
    pub name: String,
    /// See [`super::words::record_type`].
    pub record_type: u16,
    /// See [`super::words::class`].
    pub class: u16,
}

/// A record of one of the sections.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    /// 0: answer, 1: authority, 2: additional.
    pub section: usize,
    pub name_at: usize,
    pub record_type: u16,
    pub class: u16,
    pub ttl: u32,
    pub data: (usize, usize),
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2).map(|b| u16::from_be_bytes([b[0], b[1]]))
}

/// Reads a message; none: shorter than its header.
pub fn parse(bytes: &[u8]) -> Option<Message<'_>> {
    let header: &[u8; HEADER] = bytes.first_chunk()?;
    let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let flags = word(2);
    let mut message = Message {
        bytes,
        id: word(0),
        is_response: flags & 0x8000 != 0,
        opcode: (flags >> 11 & 15) as u8,
        authoritative: flags & 0x0400 != 0,
        truncated: flags & 0x0200 != 0,
        recursion_desired: flags & 0x0100 != 0,
        recursion_available: flags & 0x0080 != 0,
        authentic: flags & 0x0020 != 0,
        questions: word(4),
        records: [word(6), word(8), word(10)],
        question: None,
        code: (flags & 15) as u8,
        records_at: None,
    };
    let mut at = HEADER;
    for index in 0..message.questions {
        let mut text = Vec::new();
        let end = match index {
            0 => name::read(bytes, at, &mut text),
            _ => name::skip(bytes, at),
        };
        let Some((end, record_type, class)) =
            end.and_then(|end| Some((end, u16_at(bytes, end)?, u16_at(bytes, end + 2)?)))
        else {
            return Some(message);
        };
        if index == 0 {
            // Names are written in printable ASCII.
            let name = String::from_utf8(text).unwrap_or_default();
            message.question = Some(Question { name, record_type, class });
        }
        at = end + 4;
    }
    message.records_at = Some(at);
    Some(message)
}

impl<'a> Message<'a> {
    /// The response code, with the extended part if there is one (RFC 6891 section 6.1.3).
    pub fn response_code(&self) -> u16 {
        let extended = match self.records[2] {
            0 => None,
            _ => self.walk().flatten().find(|record| record.section == 2 && record.record_type == OPT),
        };
        u16::from(self.code) | extended.map_or(0, |opt| (opt.ttl >> 24) as u16) << 4
    }

    /// The records in order; an error, the last item, where one can't be read.
    pub(super) fn walk(&self) -> impl Iterator<Item = Result<Record, ()>> + use<'a> {
        let bytes = self.bytes;
        let records = self.records;
        let sections = (0..3).flat_map(move |section| std::iter::repeat_n(section, usize::from(records[section])));
        let mut at = self.records_at;
        let mut is_over = false;
        sections.map_while(move |section| {
            if is_over {
                return None;
            }
            let record = at.and_then(|start| {
                let end = name::skip(bytes, start)?;
                let data = end + 10;
                let len = usize::from(u16_at(bytes, end + 8)?);
                let ttl = u32::from(u16_at(bytes, end + 4)?) << 16 | u32::from(u16_at(bytes, end + 6)?);
                bytes.get(data..data + len)?;
                at = Some(data + len);
                Some(Record {
                    section,
                    name_at: start,
                    record_type: u16_at(bytes, end)?,
                    class: u16_at(bytes, end + 2)?,
                    ttl,
                    data: (data, data + len),
                })
            });
            is_over = record.is_none();
            Some(record.ok_or(()))
        })
    }

    /// Where the last record ends; none if one can't be read.
    fn end(&self) -> Option<usize> {
        self.walk().try_fold(self.records_at?, |_, record| record.ok().map(|record| record.data.1))
    }
}

/// Whether a datagram is a DNS message beyond doubt, whatever its ports. Messages that were cut pass if their question
/// is whole.
pub fn looks_like_dns(bytes: &[u8]) -> bool {
    // The header alone rules nearly everything out.
    let Some(header) = bytes.first_chunk::<HEADER>() else { return false };
    let is_response = header[2] & 0x80 != 0;
    let opcode = header[2] >> 3 & 15;
    let reserved = header[3] & 0x40;
    let code = header[3] & 15;
    let counts = [4, 6, 8, 10].map(|at| u16::from_be_bytes([header[at], header[at + 1]]));
    if !matches!(opcode, 0 | 2 | 4 | 5)
        || reserved != 0
        || code > if is_response { 11 } else { 0 }
        || counts[0] > 32
        || counts[1..].iter().any(|&count| count > 1024)
        || counts[0] == 0 && (counts[1] == 0 || !is_response)
        // One question, unless it is mDNS, whose ids are zero.
        || counts[0] > 1 && header[..2] != [0, 0]
    {
        return false;
    }
    let Some(message) = parse(bytes) else { return false };
    let is_class = |class: u16| matches!(class & 0x7fff, 1 | 3 | 4 | 254 | 255);
    match &message.question {
        Some(question) if !is_class(question.class) || question.record_type == 0 || is_netbios(&question.name) => false,
        Some(_) => match message.end() {
            Some(end) => end == bytes.len(),
            // Cut by the server, or by the capture in the midst of a record.
            None => is_response && message.walk().flatten().all(|r| r.record_type == OPT || is_class(r.class)),
        },
        None if counts[0] == 0 => {
            message.end() == Some(bytes.len())
                && message.walk().flatten().all(|record| record.record_type == OPT || is_class(record.class))
        }
        None => false,
    }
}

/// NetBIOS has the same format, with names of its own kind (RFC 1001 section 14.1).
fn is_netbios(name: &str) -> bool {
    let label = name.split('.').next().unwrap_or_default();
    label.len() == 32 && label.bytes().all(|byte| matches!(byte, b'A'..=b'P'))
}

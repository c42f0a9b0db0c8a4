//! The records of a message as JSON text.

use super::message::{Message, OPT};
use super::{name, rdata, words};

/// How a message was rendered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Records that were left out at the limit.
    pub left_out: usize,
    /// A record could not be read: those behind it are missing.
    pub is_broken: bool,
}

/// Appends `{"answers":[...],"authority":[...],"additional":[...]}`, each record as
/// `{"name":...,"type":...,"ttl":...,"data":...}` with the data as in a master file. Whole records are left out when it
/// would become longer than `limit` bytes.
pub fn records(message: &Message<'_>, limit: usize, out: &mut Vec<u8>) -> Rendered {
    const SECTIONS: [&str; 3] = ["{\"answers\":[", "],\"authority\":[", "],\"additional\":["];
    const END: &[u8] = b"]}";
    let start = out.len();
    let rest = SECTIONS.iter().map(|text| text.len()).sum::<usize>() + END.len();
    let mut rendered = Rendered::default();
    let mut opened = 0;
    let mut is_first = true;
    let mut record_text = Vec::new();
    let mut open_up_to = |section: usize, out: &mut Vec<u8>| {
        let is_new = opened <= section;
        while opened <= section {
            out.extend_from_slice(SECTIONS[opened].as_bytes());
            opened += 1;
        }
        is_new
    };
    for record in message.walk() {
        let Ok(record) = record else {
            rendered.is_broken = true;
            break;
        };
        // An OPT record without options says how long answers may be, nothing of any name.
        if record.record_type == OPT && record.data.0 == record.data.1 {
            continue;
        }
        if rendered.left_out > 0 {
            rendered.left_out += 1;
            continue;
        }
        record_text.clear();
        record_text.extend_from_slice(b"{\"name\":");
        let mut text = Vec::new();
        if name::read(message.bytes, record.name_at, &mut text).is_none() {
            rendered.is_broken = true;
            text.clear();
        }
        push_json(&text, &mut record_text);
        record_text.extend_from_slice(b",\"type\":");
        push_json(words::record_type(record.record_type).as_bytes(), &mut record_text);
        if record.record_type != OPT {
            record_text.extend_from_slice(format!(",\"ttl\":{}", record.ttl).as_bytes());
        }
        record_text.extend_from_slice(b",\"data\":");
        text.clear();
        rdata::push(message.bytes, &record, &mut text);
        push_json(&text, &mut record_text);
        record_text.push(b'}');
        if out.len() - start + record_text.len() + rest > limit {
            rendered.left_out = 1;
            continue;
        }
        is_first |= open_up_to(record.section, out);
        if !is_first {
            out.push(b',');
        }
        is_first = false;
        out.extend_from_slice(&record_text);
    }
    open_up_to(2, out);
    out.extend_from_slice(END);
    rendered
}

/// Printable ASCII as a JSON string.
fn push_json(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

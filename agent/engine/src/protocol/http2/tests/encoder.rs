//! Field blocks and frames as a peer makes them.

use crate::protocol::http2::frame::{flag, kind};

pub type Field<'a> = (&'a str, &'a str);

/// Makes field blocks, with a dynamic table such as real peers use.
pub struct Encoder {
    table: Vec<(String, String)>,
    max: usize,
    pub huffman: bool,
}

impl Default for Encoder {
    fn default() -> Self {
        Self { table: Vec::new(), max: 4096, huffman: true }
    }
}

impl Encoder {
    fn index(&self, is: impl Fn(&str, &str) -> bool) -> Option<usize> {
        let of_static = crate::protocol::http2::hpack::statics();
        of_static
            .iter()
            .position(|(n, v)| is(n, v))
            .map(|at| at + 1)
            .or_else(|| self.table.iter().position(|(n, v)| is(n, v)).map(|at| at + 62))
    }

    fn integer(out: &mut Vec<u8>, first: u8, bits: u32, value: usize) {
        let max = (1 << bits) - 1;
        if value < max {
            return out.push(first | value as u8);
        }
        out.push(first | max as u8);
        let mut rest = value - max;
        while rest >= 128 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }

    fn string(&self, out: &mut Vec<u8>, text: &str) {
        if self.huffman {
            let coded = crate::protocol::http2::hpack::huffman_encode(text.as_bytes());
            Self::integer(out, 0x80, 7, coded.len());
            out.extend(coded);
        } else {
            Self::integer(out, 0, 7, text.len());
            out.extend(text.as_bytes());
        }
    }

    /// A size update, to stand at the start of a block.
    pub fn resize(&mut self, max: usize) -> Vec<u8> {
        self.max = max;
        self.evict();
        let mut out = Vec::new();
        Self::integer(&mut out, 0x20, 5, max);
        out
    }

    fn evict(&mut self) {
        let size = |table: &[(String, String)]| table.iter().map(|(n, v)| n.len() + v.len() + 32).sum::<usize>();
        while size(&self.table) > self.max {
            self.table.pop();
        }
    }

    pub fn block(&mut self, fields: &[Field<'_>]) -> Vec<u8> {
        let mut out = Vec::new();
        for &(name, value) in fields {
            if let Some(index) = self.index(|n, v| n == name && v == value) {
                Self::integer(&mut out, 0x80, 7, index);
                continue;
            }
            let index = self.index(|n, _| n == name).unwrap_or(0);
            let never = name == "authorization";
            Self::integer(&mut out, if never { 0x10 } else { 0x40 }, if never { 4 } else { 6 }, index);
            if index == 0 {
                self.string(&mut out, name);
            }
            self.string(&mut out, value);
            if !never {
                self.table.insert(0, (name.into(), value.into()));
                self.evict();
            }
        }
        out
    }
}

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    out.extend([kind, flags]);
    out.extend(stream.to_be_bytes());
    out.extend(payload);
    out
}

pub fn data(stream: u32, payload: impl AsRef<[u8]>, end: bool) -> Vec<u8> {
    frame(kind::DATA, if end { flag::END_STREAM } else { 0 }, stream, payload.as_ref())
}

pub fn rst(stream: u32, code: u32) -> Vec<u8> {
    frame(kind::RST_STREAM, 0, stream, &code.to_be_bytes())
}

pub fn grpc(message: impl AsRef<[u8]>) -> Vec<u8> {
    let mut out = vec![0];
    out.extend((message.as_ref().len() as u32).to_be_bytes());
    out.extend(message.as_ref());
    out
}

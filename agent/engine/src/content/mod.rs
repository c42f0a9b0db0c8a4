//! Content codings (RFC 9110 section 8.4.1): gzip, deflate, br, zstd, and lists of them.
//!
//! Input that was cut gives what could be decoded of it. Output is kept up to a limit and counted up to another one; both
//! bound the time. Memory is bounded by the windows of the codings: 32 KiB for deflate, 16 MiB for br, 8 MiB for zstd
//! (RFC 9659 section 3).

mod brotli;
mod deflate;
mod zstd;

#[cfg(test)]
mod tests;

use deflate::Format;

/// Codings of one body; more than two are never used.
const CODINGS: usize = 3;
/// Bytes decoded at a time.
const CHUNK: usize = 32 << 10;
/// Bytes kept between two codings of one body.
const BETWEEN: usize = 1 << 20;

/// What became of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The whole length; none: not known, for the input was cut or the output too long to count.
    pub content_bytes: Option<u64>,
    /// Whether less than all of it was kept.
    pub cut: bool,
}

/// Why a body can't be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undecodable {
    /// There is a coding that is not known here, or too many of them.
    Coding,
    /// The data breaks the rules of its coding.
    Data,
}

/// How a decoder ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// At the end of the content.
    Whole,
    /// The input ended too early.
    Cut,
    /// The sink wanted no more.
    Full,
}

/// Takes decoded bytes.
struct Sink<'a> {
    out: &'a mut Vec<u8>,
    /// Bytes that may be kept yet.
    room: usize,
    count: u64,
    /// Counting ends here.
    max: u64,
}

impl Sink<'_> {
    /// False: no more is wanted.
    fn take(&mut self, bytes: &[u8]) -> bool {
        let kept = bytes.len().min(self.room);
        self.out.extend_from_slice(&bytes[..kept]);
        self.room -= kept;
        self.count += bytes.len() as u64;
        self.count < self.max || self.room > 0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// Decodes bodies one after another; keeps its contexts, whose set-up costs more than a small body.
#[derive(Default)]
pub struct ContentDecoder {
    inflate: Option<flate2::Decompress>,
    zstd: Option<::zstd::stream::raw::Decoder<'static>>,
    chunk: Vec<u8>,
    between: Vec<u8>,
}

impl ContentDecoder {
    /// Removes the codings of a Content-Encoding value, appending at most `limit` bytes to `out` and counting up to `max`
    /// bytes. `is_whole` says whether `raw` is all that was sent. On an error nothing is appended.
    pub fn decode(
        &mut self,
        codings: &[u8],
        raw: &[u8],
        is_whole: bool,
        limit: usize,
        max: u64,
        out: &mut Vec<u8>,
    ) -> Result<Decoded, Undecodable> {
        if codings.is_empty() {
            return Err(Undecodable::Coding); // it is coded, and the word for how was not seen
        }
        let mut list = [Coding::Gzip; CODINGS];
        let mut count = 0;
        for name in codings.split(|&b| b == b',').map(<[u8]>::trim_ascii) {
            let coding = match name.to_ascii_lowercase().as_slice() {
                b"" | b"identity" => continue,
                b"gzip" | b"x-gzip" => Coding::Gzip,
                b"deflate" => Coding::Deflate,
                b"br" => Coding::Brotli,
                b"zstd" => Coding::Zstd,
                _ => return Err(Undecodable::Coding),
            };
            *list.get_mut(count).ok_or(Undecodable::Coding)? = coding;
            count += 1;
        }
        let Some((first, rest)) = list[..count].split_first() else {
            let kept = raw.len().min(limit);
            out.extend_from_slice(&raw[..kept]);
            let cut = !is_whole || kept < raw.len();
            return Ok(Decoded { content_bytes: is_whole.then_some(raw.len() as u64), cut });
        };
        let start = out.len();
        let decoded = self.undo(*first, rest, raw, is_whole, limit, max, out);
        if decoded.is_err() {
            out.truncate(start);
        }
        decoded
    }

    /// The codings stand in the order in which they were applied.
    #[allow(clippy::too_many_arguments)]
    fn undo(
        &mut self,
        first: Coding,
        rest: &[Coding],
        raw: &[u8],
        mut is_whole: bool,
        limit: usize,
        max: u64,
        out: &mut Vec<u8>,
    ) -> Result<Decoded, Undecodable> {
        let mut input = std::borrow::Cow::Borrowed(raw);
        for &coding in rest.iter().rev() {
            let mut between = std::mem::take(&mut self.between);
            between.clear();
            let mut sink = Sink { out: &mut between, room: BETWEEN, count: 0, max: 0 };
            is_whole &= self.run(coding, &input, &mut sink)? == End::Whole;
            if let std::borrow::Cow::Owned(used) = std::mem::replace(&mut input, between.into()) {
                self.between = used;
            }
        }
        // The length of what was cut is not known anyway.
        let mut sink = Sink { out, room: limit, count: 0, max: if is_whole { max } else { 0 } };
        let end = self.run(first, &input, &mut sink)?;
        let whole = end == End::Whole && is_whole;
        let decoded = Decoded { content_bytes: whole.then_some(sink.count), cut: !whole || sink.count > limit as u64 };
        if let std::borrow::Cow::Owned(used) = input {
            self.between = used;
        }
        Ok(decoded)
    }

    fn run(&mut self, coding: Coding, raw: &[u8], sink: &mut Sink<'_>) -> Result<End, Undecodable> {
        if raw.is_empty() {
            return Ok(End::Whole);
        }
        self.chunk.resize(CHUNK, 0);
        let chunk = &mut self.chunk[..];
        match coding {
            Coding::Gzip => deflate::decode(&mut self.inflate, Format::Gzip, raw, chunk, sink),
            Coding::Deflate => {
                let format = Format::of(raw);
                match deflate::decode(&mut self.inflate, format, raw, chunk, sink) {
                    // What looked like a zlib header was data by chance.
                    Err(_) if format == Format::Zlib && sink.count == 0 => {
                        deflate::decode(&mut self.inflate, Format::Raw, raw, chunk, sink)
                    }
                    result => result,
                }
            }
            Coding::Brotli => brotli::decode(raw, chunk, sink),
            Coding::Zstd => zstd::decode(&mut self.zstd, raw, chunk, sink),
        }
    }
}

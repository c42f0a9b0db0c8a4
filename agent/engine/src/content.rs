//! Content codings undone (RFC 9110 section 8.4): gzip, deflate, br, zstd, alone or one upon another.

use std::io::{self, Read};

use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

/// Codings upon one another; more exist in attacks only.
const CODINGS: usize = 3;
/// Largest zstd window, as a power of two: 8 MiB, what RFC 8878 section 3.1.1.1.2 asks every decoder for.
const ZSTD_WINDOW_LOG: u32 = 23;
/// Bytes decoded at a time.
const PIECE: usize = 16 << 10;

/// What became of a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Its whole length, decoded; `None`: not known, because the input ended early or the bound on counting was met.
    pub content_bytes: Option<u64>,
    /// Whether more was there than was kept.
    pub cut: bool,
}

/// The coding is unknown or nothing of the body could be decoded.
#[derive(Debug, PartialEq, Eq)]
pub struct Undecodable;

/// Decodes bodies, one after another, with buffers that are kept.
pub struct ContentDecoder {
    piece: Box<[u8; PIECE]>,
}

impl Default for ContentDecoder {
    fn default() -> Self {
        Self { piece: Box::new([0; PIECE]) }
    }
}

impl ContentDecoder {
    /// Appends the decoded body to `out`, at most `limit` bytes of it; counts on up to `bound` bytes.
    ///
    /// `codings` is the value of Content-Encoding; `whole` says whether all of the coded body is in `raw`. A body that
    /// breaks off gives what could be decoded.
    ///
    /// # Errors
    /// [`Undecodable`] if a coding is unknown or not one byte came out of a body that is not empty.
    pub fn decode(
        &mut self,
        codings: &[u8],
        raw: &[u8],
        whole: bool,
        limit: usize,
        bound: u64,
        out: &mut Vec<u8>,
    ) -> Result<Decoded, Undecodable> {
        let mut reader: Box<dyn Read + '_> = Box::new(raw);
        let names = codings.split(|&b| b == b',').map(<[u8]>::trim_ascii).filter(|name| !name.is_empty());
        // The last one was applied last.
        let names: Vec<&[u8]> = names.take(CODINGS + 1).collect();
        if names.len() > CODINGS {
            return Err(Undecodable);
        }
        for (at, name) in names.iter().rev().enumerate() {
            reader = undo(name, reader, (at == 0).then_some(raw))?;
        }
        let (start, mut total) = (out.len(), 0u64);
        let complete = loop {
            match reader.read(&mut self.piece[..]) {
                Ok(0) => break whole,
                Ok(n) => {
                    let room = (limit + start).saturating_sub(out.len());
                    out.extend_from_slice(&self.piece[..n.min(room)]);
                    total += n as u64;
                    if total > bound {
                        break false;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) if total == 0 && whole => return Err(Undecodable),
                Err(_) => break false,
            }
        };
        let cut = total > (out.len() - start) as u64;
        Ok(Decoded { content_bytes: complete.then_some(total), cut })
    }
}

/// A reader of what `reader` gives, with one coding undone. `raw` is what `reader` gives if that is at hand.
fn undo<'a>(name: &[u8], reader: Box<dyn Read + 'a>, raw: Option<&'a [u8]>) -> Result<Box<dyn Read + 'a>, Undecodable> {
    let buffered = |reader| io::BufReader::with_capacity(PIECE, reader);
    Ok(match name.to_ascii_lowercase().as_slice() {
        b"identity" => reader,
        b"gzip" | b"x-gzip" => Box::new(MultiGzDecoder::new(buffered(reader))),
        b"deflate" => {
            let mut buffered = buffered(reader);
            // Meant is zlib; some servers send raw deflate (RFC 9110 section 8.4.1.2).
            let zlib = match raw {
                Some(raw) => is_zlib(raw),
                None => is_zlib(io::BufRead::fill_buf(&mut buffered).map_err(|_| Undecodable)?),
            };
            if zlib { Box::new(ZlibDecoder::new(buffered)) } else { Box::new(DeflateDecoder::new(buffered)) }
        }
        b"br" => Box::new(brotli_decompressor::Decompressor::new(reader, PIECE)),
        b"zstd" => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(buffered(reader)).map_err(|_| Undecodable)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(|_| Undecodable)?;
            Box::new(decoder)
        }
        _ => return Err(Undecodable),
    })
}

/// The two-byte header of RFC 1950 section 2.2.
fn is_zlib(bytes: &[u8]) -> bool {
    matches!(bytes, [a, b, ..] if a & 0xf == 8 && (u16::from(*a) << 8 | u16::from(*b)) % 31 == 0)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;

    use super::*;

    fn decode(codings: &str, raw: &[u8], limit: usize) -> (Vec<u8>, Result<Decoded, Undecodable>) {
        let mut out = Vec::new();
        let result = ContentDecoder::default().decode(codings.as_bytes(), raw, true, limit, 1 << 20, &mut out);
        (out, result)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn each_coding_is_undone() {
        let text = b"hello, hello, hello".as_slice();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(text).unwrap();
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
        deflate.write_all(text).unwrap();
        let whole = Ok(Decoded { content_bytes: Some(19), cut: false });
        for (coding, raw) in [
            ("gzip", gzip(text)),
            ("X-GZIP", gzip(text)),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", deflate.finish().unwrap()),
            ("zstd", zstd::encode_all(text, 3).unwrap()),
            ("zstd, gzip", gzip(&zstd::encode_all(text, 3).unwrap())),
            ("identity", text.to_vec()),
        ] {
            assert_eq!(decode(coding, &raw, 100), (text.to_vec(), Ok(Decoded { content_bytes: Some(19), cut: false })));
        }
        assert_eq!(decode("gzip", &gzip(text), 5).0, b"hello");
        assert_eq!(decode("gzip", &gzip(text), 19).1, whole);
    }

    #[test]
    fn a_bomb_is_counted_to_the_bound_only() {
        let (out, result) = decode("gzip", &gzip(&vec![0; 4 << 20]), 100);
        assert_eq!((out.len(), result), (100, Ok(Decoded { content_bytes: None, cut: true })));
    }

    #[test]
    fn what_breaks_off_gives_its_beginning() {
        let raw = gzip(b"0123456789");
        let (out, result) = decode("gzip", &raw[..raw.len() - 8], 100);
        assert_eq!((out.as_slice(), result), (&b"0123456789"[..], Ok(Decoded { content_bytes: None, cut: false })));
    }

    #[test]
    fn what_is_not_coded_so_is_said() {
        assert_eq!(decode("gzip", b"plain text", 100).1, Err(Undecodable));
        assert_eq!(decode("snappy", b"plain text", 100).1, Err(Undecodable));
        assert_eq!(decode("gzip, gzip, gzip, gzip", b"", 100).1, Err(Undecodable));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(raw in prop::collection::vec(any::<u8>(), 0..400), limit in 0usize..500) {
            for coding in ["gzip", "deflate", "br", "zstd", "br, gzip"] {
                let (out, _) = decode(coding, &raw, limit);
                prop_assert!(out.len() <= limit);
            }
        }
    }
}

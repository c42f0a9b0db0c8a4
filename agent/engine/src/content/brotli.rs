//! Brotli (RFC 7932).

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::{End, Sink, Undecodable};

pub(super) fn decode(raw: &[u8], chunk: &mut [u8], sink: &mut Sink<'_>) -> Result<End, Undecodable> {
    let alloc = StandardAlloc::default;
    // Strict: no windows beyond the 16 MiB of the RFC.
    let mut state = BrotliState::new_strict(alloc(), alloc(), alloc());
    let (mut left, mut at, mut total) = (raw.len(), 0, 0);
    loop {
        let (mut room, mut made) = (chunk.len(), 0);
        let result =
            BrotliDecompressStream(&mut left, &mut at, raw, &mut room, &mut made, chunk, &mut total, &mut state);
        let wanted = sink.take(&chunk[..made]);
        match result {
            BrotliResult::ResultSuccess => return Ok(End::Whole),
            BrotliResult::ResultFailure => return Err(Undecodable::Data),
            BrotliResult::NeedsMoreInput => return Ok(End::Cut),
            BrotliResult::NeedsMoreOutput if !wanted => return Ok(End::Full),
            BrotliResult::NeedsMoreOutput => {}
        }
    }
}

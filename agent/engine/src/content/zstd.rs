//! Zstandard (RFC 8878).

use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use super::{End, Sink, Undecodable};

/// Window of at most 8 MiB (RFC 9659 section 3): other recipients refuse more as well.
const WINDOW_LOG: u32 = 23;

fn new() -> std::io::Result<Decoder<'static>> {
    let mut decoder = Decoder::new()?;
    decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG))?;
    Ok(decoder)
}

pub(super) fn decode(
    kept: &mut Option<Decoder<'static>>,
    raw: &[u8],
    chunk: &mut [u8],
    sink: &mut Sink<'_>,
) -> Result<End, Undecodable> {
    let failed = |_| Undecodable::Data;
    let mut decoder = match kept.take() {
        Some(decoder) => decoder,
        None => new().map_err(failed)?,
    };
    // A decoder that failed is not put back; what an earlier body left unfinished is dropped here.
    decoder.reinit().map_err(failed)?;
    let mut input = InBuffer::around(raw);
    let end = loop {
        let mut output = OutBuffer::around(&mut *chunk);
        let hint = decoder.run(&mut input, &mut output).map_err(failed)?;
        let (made, full) = (output.pos(), output.pos() == output.capacity());
        if !sink.take(&chunk[..made]) {
            break End::Full;
        }
        let used_up = input.pos() == raw.len();
        match hint {
            // The end of a frame; another one may follow.
            0 if used_up => break End::Whole,
            _ if used_up && !full => break End::Cut,
            _ => {}
        }
    };
    *kept = Some(decoder);
    Ok(end)
}

//! Any bytes as coded bodies: the limit holds.
#![no_main]

use _engine::content::ContentDecoder;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut decoder = ContentDecoder::default();
    for codings in ["gzip", "deflate", "br", "zstd", "zstd, gzip"] {
        let mut out = Vec::new();
        let _ = decoder.decode(codings.as_bytes(), data, true, 1000, 1 << 20, &mut out);
        assert!(out.len() <= 1000);
    }
});

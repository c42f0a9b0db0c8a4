//! Any bytes under any coding give bounded output or an error, twice the same.
#![no_main]

use std::cell::RefCell;

use _engine::content::ContentDecoder;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static DECODER: RefCell<ContentDecoder> = RefCell::default();
}

const CODINGS: [&[u8]; 8] =
    [b"gzip", b"deflate", b"br", b"zstd", b"gzip, br", b"zstd, deflate", b"identity", b"br,br,gzip"];

fuzz_target!(|data: &[u8]| {
    let Some((&kind, raw)) = data.split_first() else { return };
    let coding = CODINGS[kind as usize % CODINGS.len()];
    let (mut used, mut fresh) = (Vec::new(), Vec::new());
    let reused = DECODER.with_borrow_mut(|decoder| decoder.decode(coding, raw, kind < 128, 4096, 1 << 20, &mut used));
    let new = ContentDecoder::default().decode(coding, raw, kind < 128, 4096, 1 << 20, &mut fresh);
    assert!(used.len() <= 4096);
    assert_eq!((reused, used), (new, fresh));
});

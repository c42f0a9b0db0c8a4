//! A connection that begins as Redis, opened or joined.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::Wire;

fuzz_target!(|data: &[u8]| {
    let mut wire = Wire::new();
    if data.first().is_some_and(|how| how & 0x80 != 0) {
        wire.segment(false, 0x02, -1, b"");
    }
    wire.play(b"*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n", data);
});

//! A connection that begins as TLS.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::Wire;

fuzz_target!(|data: &[u8]| Wire::new().play(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", data));

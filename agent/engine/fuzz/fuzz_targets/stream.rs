//! Segments lost, repeated, out of order, before any protocol is recognised.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::Wire;

fuzz_target!(|data: &[u8]| Wire::new().play(b"", data));

//! A connection that begins as HTTP/2.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::Wire;

fuzz_target!(|data: &[u8]| Wire::new().play(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", data));

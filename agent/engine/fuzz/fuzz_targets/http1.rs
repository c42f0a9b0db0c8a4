//! A connection that begins as HTTP/1.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::Wire;

fuzz_target!(|data: &[u8]| Wire::new().play(b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", data));

//! Any bytes are read as hellos without a crash; more bytes never change an answer.
#![no_main]

use _engine::protocol::tls::hello::{Parsed, client_hello, is_tls_record, server_hello};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    is_tls_record(data);
    server_hello(data);
    let whole = client_hello(data);
    let part = client_hello(&data[..data.len() / 2]);
    assert!(part == Parsed::Incomplete || part == whole);
});

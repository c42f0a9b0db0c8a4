//! Any bytes are read as a DNS message without a crash; what is rendered keeps its limit.
#![no_main]

use _engine::protocol::dns::message::{looks_like_dns, parse};
use _engine::protocol::dns::render::records;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let is_dns = looks_like_dns(data);
    let message = parse(data);
    assert!(message.is_some() || !is_dns);
    if let Some(message) = message {
        message.response_code();
        let mut out = Vec::new();
        records(&message, 4096, &mut out);
        assert!(out.len() <= 4096 && out.is_ascii());
    }
});

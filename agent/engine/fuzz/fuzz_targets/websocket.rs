//! A connection that has become a WebSocket, with compression.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::Wire;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

fuzz_target!(|data: &[u8]| {
    let mut wire = Wire::new();
    wire.segment(false, 0x18, 0, REQUEST);
    wire.segment(true, 0x18, 0, RESPONSE);
    wire.play(b"", data);
});

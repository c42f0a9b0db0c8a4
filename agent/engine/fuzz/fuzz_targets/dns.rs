//! DNS over UDP and over TCP: any bytes behind a header that looks right.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::Wire;

fuzz_target!(|data: &[u8]| {
    let Some((&how, rest)) = data.split_first() else { return };
    let mut message = vec![0, 7, if how & 1 == 0 { 1 } else { 0x81 }, 0, 0, 1, 0, how >> 4, 0, 0, 0, 0];
    message.extend(rest);
    message.truncate(4096);
    let mut udp = Wire::new();
    udp.datagram(how & 1 != 0, &message);
    udp.datagram(how & 1 == 0, rest.get(..4096).unwrap_or(rest));
    udp.end();
    let mut stream = (message.len() as u16).to_be_bytes().to_vec();
    stream.extend(message);
    Wire::new().play(&stream, rest);
});

//! Any segments of an HTTP/2 connection, some of them never captured: memory stays bounded, and every stream ends.
//!
//! The input is a list of segments: what to do (1 byte: side, lost, joined), length (1 byte), the bytes.
#![no_main]

use _engine::config::Config;
use _engine::flow::Flows;
use _engine::output::Output;
use _engine::packet::{Addr, Decoded, Endpoint, Segment, flags};
use libfuzzer_sys::fuzz_target;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// What one connection may hold: streams, their messages, tables; far above what so short an input can justify.
const BOUND: usize = 64 << 20;

fuzz_target!(|data: &[u8]| {
    let ends = [
        Endpoint { addr: Addr::v4([10, 0, 0, 1]), port: 40001 },
        Endpoint { addr: Addr::v4([10, 0, 0, 2]), port: 50051 },
    ];
    let mut out = Output::new(Config::default());
    let mut flows = Flows::default();
    let (mut seq, mut time) = ([1u32, 1u32], 0);
    let mut send = |side: usize, flags: u8, payload: &[u8], lost: bool| {
        time += 1_000_000;
        let (src, dst, ack) = (ends[side], ends[1 - side], seq[1 - side]);
        let segment = Segment { src, dst, seq: seq[side], ack, flags, window: 512, payload, cut: 0 };
        seq[side] = seq[side].wrapping_add(payload.len() as u32 + u32::from(flags & flags::SYN != 0));
        if !lost {
            flows.packet(&Decoded::Tcp(segment), time, &mut out);
        }
        assert!(flows.held() < BOUND);
    };
    let Some((&how, mut rest)) = data.split_first() else { return };
    if how & 1 == 0 {
        send(0, flags::SYN, &[], false);
        send(1, flags::SYN | flags::ACK, &[], false);
        send(0, flags::ACK, PREFACE, false);
    }
    while let Some((&[how, len], tail)) = rest.split_first_chunk() {
        let (payload, tail) = tail.split_at(usize::from(len).min(tail.len()));
        rest = tail;
        send(usize::from(how & 1), flags::ACK, payload, how & 6 == 6);
    }
    flows.report(time, &mut out);
    flows.end(&mut out);
    assert_eq!(flows.held(), 0);
    out.take();
});

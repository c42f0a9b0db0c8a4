//! Peers that mean harm, and bytes that mean nothing: bounded, and counted.

use proptest::prelude::*;

use super::wire::*;
use crate::counters::Counter;
use crate::message::notes;
use crate::protocol::http2::frame::{flag, kind};

#[test]
fn streams_without_end_are_bounded() {
    let mut wire = Wire::new();
    let limit = wire.out.config.limits.pending;
    for n in 0..limit as u32 + 500 {
        let get = wire.get(n * 2 + 1, "/");
        wire.send(Client, &get);
    }
    assert_eq!(wire.out.counters.get(Counter::PendingDropped), 500);
    assert_eq!(wire.records().exchanges.len(), 500);
    assert!(wire.held() < limit * 4096, "{}", wire.held());
}

#[test]
fn rapid_resets_leave_nothing_behind() {
    let mut wire = Wire::new();
    let before = wire.held();
    for n in 0..5000 {
        let get = [wire.get(n * 2 + 1, "/"), rst(n * 2 + 1, 8)].concat();
        wire.send(Client, &get);
    }
    assert_eq!(wire.records().exchanges.len(), 5000);
    assert!(wire.held() < before + 4096, "{}", wire.held());
}

#[test]
fn a_flood_of_continuations_is_bounded() {
    let mut wire = Wire::new();
    wire.send(Client, &frame(kind::HEADERS, 0, 1, &[0x82]));
    for _ in 0..200 {
        wire.send(Client, &frame(kind::CONTINUATION, 0, 1, &[0x82; 1000]));
    }
    for _ in 0..2000 {
        wire.send(Client, &frame(kind::CONTINUATION, 0, 1, &[]));
    }
    assert!(wire.held() < 200_000, "{}", wire.held());
    assert!(wire.out.counters.get(Counter::HeadersDropped) > 0);
    // What follows is read again.
    wire.encoders[0].resize(0);
    let (get, answer) = (wire.get(3, "/"), wire.answer(3, "200", ""));
    wire.send(Client, &get).send(Server, &answer);
    assert!(wire.end().lines().contains(&"GET / 200 ok".to_string()));
}

#[test]
fn a_small_block_that_means_a_large_one_is_cut() {
    let mut wire = Wire::new();
    let mut block = wire.encoders[0].block(&[(":method", "GET"), (":path", "/bomb"), ("x-big", &"b".repeat(3900))]);
    block.extend(vec![0xbe; 12_000]);
    wire.send(Client, &frame(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, 1, &block));
    let answer = wire.answer(1, "200", "");
    wire.send(Server, &answer);
    let records = wire.end();
    assert_eq!(records.lines(), ["GET /bomb 200 ok"]);
    assert!(noted(&records.exchanges[0], notes::HEADERS_CUT));
    assert!(records.exchanges[0]["request_headers"].len() < 200 << 10);
}

#[test]
fn a_table_entry_copied_over_and_over_is_stopped() {
    let mut wire = Wire::new();
    let mut block = wire.encoders[0].resize(65_536);
    block.extend(wire.encoders[0].block(&[(":method", "GET"), (&"n".repeat(30_000), "")]));
    // Each inserts the long name again, with another value.
    for _ in 0..5000 {
        block.extend([0x7e, 1, b'v']);
    }
    // The server allows frames of 64 KiB.
    wire.send(Server, &frame(kind::SETTINGS, 0, 0, &[0, 5, 0, 1, 0, 0]));
    wire.send(Client, &frame(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, 1, &block));
    let records = wire.end();
    assert_eq!(records.exchanges.len(), 1);
    assert!(noted(&records.exchanges[0], notes::MALFORMED));
}

#[test]
fn frames_that_break_the_rules_are_counted_and_passed() {
    let mut wire = Wire::new();
    let bad = [
        frame(kind::PING, 0, 0, b"short"),
        frame(kind::HEADERS, flag::PADDED | flag::END_HEADERS, 9, &[200, 1]),
        frame(kind::DATA, 0, 0, b"on no stream"),
    ];
    for bad in bad {
        wire.send(Client, &bad);
    }
    wire.encoders[0].resize(0);
    let (get, answer) = (wire.get(11, "/"), wire.answer(11, "200", ""));
    wire.send(Client, &get).send(Server, &answer);
    assert!(wire.out.counters.get(Counter::Malformed) >= 1);
    assert!(wire.end().lines().contains(&"GET / 200 ok".to_string()));
}

proptest! {
    #[test]
    fn any_frames(
        frames in prop::collection::vec((any::<bool>(), 0u8..12, any::<u8>(), 0u32..6, prop::collection::vec(any::<u8>(), 0..60)), 0..40),
        mss in 1usize..100,
        lost: u32,
    ) {
        let run = |mss: usize, lost: u32| {
            let mut wire = Wire::new();
            wire.mss = mss;
            for (n, (client, kind, flags, stream, payload)) in frames.iter().enumerate() {
                let side = if *client { Client } else { Server };
                let bytes = frame(*kind, *flags, *stream, payload);
                if lost >> (n % 32) & 1 == 1 { wire.lose(side, &bytes) } else { wire.send(side, &bytes) };
            }
            wire.end()
        };
        run(mss, lost);
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400), mss in 1usize..100) {
        let mut wire = Wire::new();
        wire.mss = mss;
        wire.send(Client, &bytes).send(Server, &bytes);
        wire.end();
    }
}

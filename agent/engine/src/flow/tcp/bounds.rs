//! What is held for connections is bounded, and what that costs is counted.

use crate::config::{Config, Limits, MILLISECOND};
use crate::counters::Counter;
use crate::flow::Flows;
use crate::output::Output;
use crate::packet::{Addr, Decoded, Endpoint, Nanos, Segment, Sight, flags};

struct Taken {
    flows: Flows,
    out: Output,
    time: Nanos,
}

impl Taken {
    fn within(limits: Limits) -> Self {
        let out = Output::new(Config { limits, ..Config::default() });
        Self { flows: Flows::default(), out, time: 0 }
    }

    /// A segment of the connection from this port, so many bytes behind its SYN.
    fn segment(&mut self, port: u16, at: u32, flags: u8, payload: &[u8]) {
        self.time += MILLISECOND;
        let [src, dst] = [(1, port), (2, 80)].map(|(host, port)| Endpoint { addr: Addr::v4([10, 0, 0, host]), port });
        let (seq, sight) = (1000 + at, Sight::default());
        let segment = Segment { src, dst, seq, ack: 0, flags, window: 1000, payload, cut: 0, sight };
        self.flows.packet(&Decoded::Tcp(segment), self.time, &mut self.out);
    }

    /// A connection of which there is a piece behind a hole of 100 bytes.
    fn with_hole(&mut self, port: u16, piece: &[u8]) {
        self.segment(port, 0, flags::SYN, &[]);
        self.segment(port, 101, flags::ACK, piece);
    }

    fn counted(&self, counter: Counter) -> u64 {
        self.out.counters.get(counter)
    }

    /// Ports of the connections that became records.
    fn ended(&mut self) -> Vec<u16> {
        use arrow_array::cast::AsArray;
        let Some(batch) = self.out.take().connections else { return Vec::new() };
        let ports = batch["src_port"].as_primitive::<arrow_array::types::UInt16Type>();
        let mut ports = ports.values().to_vec();
        ports.sort_unstable();
        ports
    }
}

#[test]
fn the_flows_idle_longest_make_room() {
    let mut taken = Taken::within(Limits { flows: 32, ..Limits::default() });
    for port in 0..32 {
        taken.segment(40_000 + port, 0, flags::SYN, &[]);
    }
    assert_eq!((taken.counted(Counter::Evicted), taken.flows.len()), (0, 32));
    taken.segment(40_000, 1, flags::ACK, b"still there");
    taken.segment(50_000, 0, flags::SYN, &[]);
    assert_eq!((taken.counted(Counter::Evicted), taken.flows.len()), (3, 30));
    assert_eq!(taken.ended(), [40_001, 40_002, 40_003]);
    for port in 1..1000 {
        taken.segment(50_000 + port, 0, flags::SYN, &[]);
        assert!(taken.flows.len() <= 32);
    }
    let evicted = taken.counted(Counter::Evicted);
    assert_eq!(taken.counted(Counter::Connections), evicted + taken.flows.len() as u64);
    assert_eq!(taken.ended().len() as u64 + 3, evicted);
}

#[test]
fn the_bytes_of_all_flows_are_bounded() {
    let held = 100_000;
    let mut taken = Taken::within(Limits { held, ..Limits::default() });
    for port in 0..40 {
        taken.with_hole(40_000 + port, &[b'x'; 10_000]);
        assert!(taken.flows.held() <= held, "{}", taken.flows.held());
    }
    let evicted = taken.counted(Counter::Evicted);
    assert!((30..40).contains(&evicted), "{evicted}");
    assert_eq!(taken.ended(), (40_000..40_000 + evicted as u16).collect::<Vec<_>>());
}

#[test]
fn what_waits_out_of_order_is_bounded() {
    let mut taken = Taken::within(Limits { reorder_bytes: 5000, ..Limits::default() });
    taken.with_hole(40_000, &[b'x'; 900]);
    for n in 1..5 {
        taken.segment(40_000, 101 + n * 900, flags::ACK, &[b'x'; 900]);
    }
    assert_eq!((taken.counted(Counter::ReorderDropped), taken.counted(Counter::Gaps)), (0, 0));
    assert!(taken.flows.held() >= 4500);
    taken.segment(40_000, 4601, flags::ACK, &[b'x'; 900]);
    assert_eq!((taken.counted(Counter::ReorderDropped), taken.counted(Counter::Gaps)), (1, 1));
    assert_eq!(taken.counted(Counter::GapBytes), 100);
    assert!(taken.flows.held() < 5000, "{}", taken.flows.held());
    // The hole is given up: what fills it comes too late.
    taken.segment(40_000, 1, flags::ACK, &[b'x'; 100]);
    assert_eq!(taken.counted(Counter::Retransmitted), 1);
}

use super::*;
use crate::config::{Config, SECOND};
use crate::packet::{Addr, Sight};

const MIB: usize = 1 << 20;

fn end(host: u16, port: u16) -> Endpoint {
    let [high, low] = host.to_be_bytes();
    Endpoint { addr: Addr::v4([10, 0, high, low]), port }
}

struct Network {
    flows: Flows,
    out: Output,
    most: usize,
}

impl Network {
    fn new(held: usize) -> Self {
        let mut config = Config::default();
        config.limits.held = held;
        Self { flows: Flows::default(), out: Output::new(config), most: 0 }
    }

    fn segment(&mut self, client: u16, flags: u8, seq: u32, payload: &[u8]) {
        let (src, dst, sight) = (end(client, 4000), end(0, 80), Sight::default());
        let segment = Segment { src, dst, seq, ack: 1, flags, window: 0, payload, cut: 0, sight };
        self.packet(&Decoded::Tcp(segment));
    }

    fn datagram(&mut self, client: u16, payload: &[u8]) {
        let (src, dst) = (end(client, 4000), end(0, 53));
        self.packet(&Decoded::Udp(Datagram { src, dst, payload, cut: 0, sight: Sight::default() }));
    }

    /// All at the same time, so that none of them is given up for its age.
    fn packet(&mut self, decoded: &Decoded<'_>) {
        self.flows.packet(decoded, SECOND, &mut self.out);
        self.most = self.most.max(self.flows.held());
    }

    fn count(&self, name: &str) -> u64 {
        self.out.counters.iter().find(|(_, counter, _)| *counter == name).map_or(0, |(_, _, value)| value)
    }
}

/// A question for a name that tells its number.
fn question(number: u16) -> Vec<u8> {
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.extend(b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x20");
    bytes.extend(format!("{number:032}").as_bytes());
    bytes.extend(b"\x03com\x00\x00\x01\x00\x01");
    bytes
}

#[test]
fn questions_that_nobody_answers_count_as_held() {
    let mut network = Network::new(MIB);
    for client in 0..200 {
        for number in 0..256 {
            network.datagram(client, &question(number));
        }
    }
    assert!(network.count("evicted") > 0);
    assert!(network.most < MIB + 4096, "{} bytes", network.most);
    assert!(network.flows.len() > 1, "not all go when some must");
    network.flows.end(&mut network.out);
    assert_eq!(network.flows.held(), 0);
    assert_eq!(network.out.exchange_rows(), 200 * 256, "each is a record");
}

#[test]
fn requests_that_nobody_answers_count_with_their_bodies() {
    let mut network = Network::new(4 * MIB);
    let body = [b'x'; 1400];
    let head = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n", 20 * body.len());
    for client in 0..20 {
        let mut seq = 1001;
        network.segment(client, flags::SYN, 1000, b"");
        for _ in 0..50 {
            network.segment(client, flags::ACK, seq, head.as_bytes());
            seq += head.len() as u32;
            for _ in 0..20 {
                network.segment(client, flags::ACK, seq, &body);
                seq += body.len() as u32;
            }
        }
    }
    assert!(network.count("evicted") > 0);
    assert!(network.most < 4 * MIB + (128 << 10), "{} bytes", network.most);
    assert!(network.flows.len() > 1);
}

#[test]
fn small_segments_out_of_order_count_for_what_they_take() {
    let mut network = Network::new(64 * MIB);
    network.segment(1, flags::SYN, 1000, b"");
    for number in 0..100_000 {
        network.segment(1, flags::ACK, 1002 + 2 * number, b"x");
    }
    assert!(network.count("reorder_bytes_dropped") > 0);
    assert!(network.most < 2 * MIB, "{} bytes", network.most);
}

#[test]
fn as_many_go_of_those_idle_for_the_same_time_as_of_others() {
    let mut network = Network::new(MIB);
    network.out.config.limits.flows = 160;
    for client in 0..161 {
        network.datagram(client, b"unknown to all");
    }
    assert_eq!(network.count("evicted"), 11);
    assert_eq!(network.flows.len(), 150);
}

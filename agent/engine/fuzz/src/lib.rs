//! Plays connections that a fuzzer makes up through the whole pipeline.

use _engine::config::Config;
use _engine::packet::{LinkType, Packet, Sight};
use _engine::pipeline::Pipeline;

const CLIENT: [u8; 4] = [10, 0, 0, 1];
const SERVER: [u8; 4] = [10, 0, 0, 2];

/// A connection between two hosts, one packet after another.
pub struct Wire {
    pipeline: Pipeline,
    time: i64,
    seq: [u32; 2],
}

impl Wire {
    /// Nothing was sent yet.
    pub fn new() -> Self {
        Self { pipeline: Pipeline::new(Config::default()), time: 1_700_000_000_000_000_000, seq: [1000, 5000] }
    }

    fn packet(&mut self, server: bool, protocol: u8, transport: &[u8]) {
        let (src, dst) = if server { (SERVER, CLIENT) } else { (CLIENT, SERVER) };
        let mut packet = vec![0x45, 0];
        packet.extend((20 + transport.len() as u16).to_be_bytes());
        packet.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
        packet.extend(src);
        packet.extend(dst);
        packet.extend(transport);
        self.time += 1_000_000;
        let wire_len = packet.len() as u32;
        let link = LinkType::RAW;
        let sight = Sight::default();
        self.pipeline.packet(&Packet { time: self.time, data: &packet, wire_len, link, sight, vlan: None });
    }

    fn ports(server: bool) -> [u8; 4] {
        let (client, port) = (40_000u16.to_be_bytes(), 80u16.to_be_bytes());
        let (a, b) = if server { (port, client) } else { (client, port) };
        [a[0], a[1], b[0], b[1]]
    }

    /// A segment, its sequence number moved by `shift`.
    pub fn segment(&mut self, server: bool, flags: u8, shift: i32, payload: &[u8]) {
        let side = usize::from(server);
        let mut segment = Self::ports(server).to_vec();
        segment.extend(self.seq[side].wrapping_add_signed(shift).to_be_bytes());
        segment.extend(self.seq[1 - side].to_be_bytes());
        segment.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        segment.extend(payload);
        self.packet(server, 6, &segment);
        if shift == 0 {
            self.seq[side] = self.seq[side].wrapping_add(payload.len() as u32);
        }
    }

    /// A datagram.
    pub fn datagram(&mut self, server: bool, payload: &[u8]) {
        let mut datagram = Self::ports(server).to_vec();
        datagram.extend((8 + payload.len() as u16).to_be_bytes());
        datagram.extend([0, 0]);
        datagram.extend(payload);
        self.packet(server, 17, &datagram);
    }

    /// What the fuzzer says: an octet for side, loss and flags, one for the length, then the bytes; `begin` comes first.
    pub fn play(mut self, begin: &[u8], mut data: &[u8]) {
        if !begin.is_empty() {
            self.segment(false, 0x18, 0, begin);
        }
        while let [how, len, rest @ ..] = data {
            let len = (usize::from(*len) * if how & 0x40 == 0 { 1 } else { 8 }).min(rest.len());
            let (payload, rest) = rest.split_at(len);
            data = rest;
            let server = how & 1 != 0;
            match how >> 1 & 7 {
                0 => {
                    let side = usize::from(server);
                    self.seq[side] = self.seq[side].wrapping_add(len as u32); // lost
                }
                1 => self.segment(server, 0x18, i32::from(how >> 4) * 7, payload), // out of order
                2 => self.segment(server, 0x18, -i32::from(how >> 4) * 7, payload), // again
                3 if how & 0x30 == 0x30 => self.segment(server, 0x11, 0, payload),
                4 if how & 0x30 == 0x30 => self.segment(server, 0x04, 0, payload),
                5 => {
                    self.time += 50_000_000;
                    self.segment(server, 0x18, 0, payload);
                    self.pipeline.report();
                }
                _ => self.segment(server, 0x18, 0, payload),
            }
        }
        self.end();
    }

    /// The capture ends.
    pub fn end(mut self) {
        self.pipeline.end();
        self.pipeline.take();
    }
}

impl Default for Wire {
    fn default() -> Self {
        Self::new()
    }
}

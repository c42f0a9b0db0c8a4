//! A UDP flow: datagrams between two ends.

use crate::config::SECOND;
use crate::conn::Conn;
use crate::counters::Counter;
use crate::output::{ConnectionRow, Output};
use crate::packet::{Datagram, Nanos, Unreachable};
use crate::protocol::registry::DATAGRAM_REGISTRY;
use crate::protocol::{Context, DatagramDissector, End, Probe};
use crate::stream::Side;

/// Datagrams of a flow that are probed before it is left alone.
const PROBED: u64 = 16;

pub(super) struct UdpFlow {
    conn: Conn,
    dissector: Option<Box<dyn DatagramDissector>>,
    first_time: Nanos,
    pub last_time: Nanos,
    bytes: [u64; 2],
    packets: [u64; 2],
    refused: Option<&'static str>,
    revision: u16,
    reported_packets: u64,
    /// Bytes held when last counted.
    counted: usize,
}

impl UdpFlow {
    pub fn new(datagram: &Datagram<'_>, time: Nanos, out: &Output) -> Self {
        Self {
            conn: super::conn(datagram.src, datagram.dst, time, false, out.config.origin),
            dissector: None,
            first_time: time,
            last_time: time,
            bytes: [0; 2],
            packets: [0; 2],
            refused: None,
            revision: 0,
            reported_packets: 0,
            counted: 0,
        }
    }

    /// Bytes that the flow held when last counted.
    pub fn counted(&self) -> usize {
        self.counted
    }

    /// Counts the bytes that the flow holds.
    pub fn count(&mut self) -> usize {
        self.counted = self.dissector.as_ref().map_or(0, |dissector| dissector.held());
        self.counted
    }

    pub fn datagram(&mut self, datagram: &Datagram<'_>, time: Nanos, out: &mut Output) {
        if self.conn.sightings.is_copy_of_datagram(datagram, time) {
            out.counters.add(Counter::Copies, 1);
            return;
        }
        self.last_time = time;
        let mut side = if datagram.src == self.conn.client { Side::Client } else { Side::Server };
        if self.dissector.is_none() && self.packets[0] + self.packets[1] < PROBED {
            for protocol in DATAGRAM_REGISTRY {
                if let Probe::Match(role) = (protocol.probe)(datagram.payload) {
                    if role != side {
                        std::mem::swap(&mut self.conn.client, &mut self.conn.server);
                        self.bytes.swap(0, 1);
                        self.packets.swap(0, 1);
                        side = role;
                    }
                    self.dissector = Some((protocol.new)());
                    break;
                }
            }
        }
        self.packets[side as usize] += 1;
        self.bytes[side as usize] += datagram.payload.len() as u64 + u64::from(datagram.cut);
        if let Some(dissector) = &mut self.dissector {
            dissector.datagram(side, datagram.payload, datagram.cut, time, &mut Context { conn: &mut self.conn, out });
        }
    }

    pub fn unreachable(&mut self, about: &Unreachable, time: Nanos, out: &mut Output) {
        if about.src == self.conn.client && self.packets[1] == 0 {
            self.refused = Some(about.reason);
            self.last_time = time;
            if let Some(dissector) = &mut self.dissector {
                dissector.end(End::Reset(Side::Server), time, &mut Context { conn: &mut self.conn, out });
            }
        }
    }

    /// Time has passed. Says whether the flow stays.
    pub fn tick(&mut self, now: Nanos, out: &mut Output) -> bool {
        if let Some(dissector) = &mut self.dissector {
            dissector.tick(now, &mut Context { conn: &mut self.conn, out });
        }
        // A lookup is over when it is answered; a longer wait would fill the table with them.
        let waits = self.dissector.as_ref().is_none_or(|dissector| dissector.is_waiting());
        let bound = if waits { out.config.limits.udp_idle } else { SECOND };
        if now - self.last_time < bound {
            return true;
        }
        self.finish(End::Idle, out);
        false
    }

    pub fn finish(&mut self, how: End, out: &mut Output) {
        if let Some(dissector) = &mut self.dissector {
            dissector.end(how, self.last_time, &mut Context { conn: &mut self.conn, out });
        }
        self.put_out(how != End::Unseen, out);
    }

    /// Puts out a revision of the record if there is news.
    pub fn report(&mut self, out: &mut Output) {
        if self.packets[0] + self.packets[1] != self.reported_packets && self.last_time - self.first_time >= SECOND {
            self.put_out(false, out);
        }
    }

    fn put_out(&mut self, over: bool, out: &mut Output) {
        self.reported_packets = self.packets[0] + self.packets[1];
        let state = if self.refused.is_some() {
            "refused"
        } else if self.packets[1] == 0 {
            "unanswered"
        } else if over {
            "closed"
        } else {
            "open"
        };
        let protocol = self.dissector.as_ref().map_or("unknown", |dissector| dissector.name());
        let reason = match self.refused {
            Some(refused) => refused,
            None if protocol == "unknown" => "its datagrams are of no protocol that is known",
            None if state == "unanswered" => "no datagram came back",
            None => "",
        };
        out.connection(&ConnectionRow {
            id: self.conn.id,
            revision: self.revision,
            time: self.first_time,
            last_time: self.last_time.max(self.first_time),
            transport: "udp",
            client: self.conn.client,
            server: self.conn.server,
            view: self.conn.view(),
            protocol,
            reason,
            state,
            handshake: None,
            bytes: self.bytes,
            packets: self.packets,
            retransmits: 0,
            gaps: 0,
            gap_bytes: 0,
            exchanges: self.conn.exchanges,
            server_name: "",
            alpn: "",
            notes: 0,
        });
        self.revision = self.revision.saturating_add(1);
    }
}

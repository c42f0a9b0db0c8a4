//! The record of a connection.

use super::TcpFlow;
use super::dissect::Stage;
use crate::config::SECOND;
use crate::message::notes;
use crate::output::{ConnectionRow, Output};
use crate::packet::Nanos;
use crate::protocol::Context;

impl TcpFlow {
    /// Puts out a revision of the connection record if there is news.
    pub fn report(&mut self, now: Nanos, out: &mut Output) {
        if let Stage::Active(dissector) = &mut self.stage {
            dissector.report(now, &mut Context { conn: &mut self.conn, out });
        }
        let packets = self.halves[0].packets + self.halves[1].packets;
        // A connection that is over in a moment needs but one record.
        if packets != self.reported_packets && now - self.first_time >= SECOND {
            self.put_out(out);
        }
    }

    pub(super) fn state(&self) -> &'static str {
        if self.refused.is_some() {
            "refused"
        } else if self.reset_by.is_some() {
            "reset"
        } else if self.halves.iter().all(|half| half.ended) {
            "closed"
        } else if self.syn_time.is_some() && self.halves[1].packets == 0 {
            "unanswered"
        } else {
            "open"
        }
    }

    pub(super) fn put_out(&mut self, out: &mut Output) {
        self.reported_packets = self.halves[0].packets + self.halves[1].packets;
        let state = self.state();
        if let Stage::Active(dissector) = &self.stage {
            self.protocol = dissector.name();
        }
        let silent = self.halves.iter().all(|half| half.bytes == 0);
        let reason = match (self.refused, state, &self.stage) {
            (Some(refused), ..) => refused,
            (_, "unanswered", _) => "no answer to the SYN: dropped on the way, or no such host",
            _ if self.protocol != "unknown" => "",
            _ if silent => "no data was sent",
            (_, _, Stage::Unknown(reason)) if !reason.is_empty() => reason,
            _ => "too few bytes to recognise a protocol",
        };
        out.connection(&ConnectionRow {
            id: self.conn.id,
            revision: self.revision,
            time: self.first_time,
            last_time: self.last_time.max(self.first_time),
            transport: "tcp",
            client: self.conn.client,
            server: self.conn.server,
            view: self.conn.view(),
            protocol: self.protocol,
            reason,
            state,
            handshake: self.handshake,
            bytes: [self.halves[0].bytes, self.halves[1].bytes],
            packets: [self.halves[0].packets, self.halves[1].packets],
            retransmits: self.retransmits,
            gaps: self.gaps,
            gap_bytes: self.gap_bytes,
            exchanges: self.conn.exchanges,
            server_name: self.conn.sni.as_deref().unwrap_or_default(),
            alpn: self.conn.alpn.as_deref().unwrap_or_default(),
            notes: if self.conn.midstream { notes::PARTIAL } else { 0 }
                | if self.gaps > 0 { notes::GAP } else { 0 }
                | if self.retransmits > 0 { notes::RETRANSMITTED } else { 0 },
        });
        self.revision = self.revision.saturating_add(1);
    }
}

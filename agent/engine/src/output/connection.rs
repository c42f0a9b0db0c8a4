//! Connections as rows.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::types::{Int64Type, TimestampNanosecondType, UInt16Type, UInt32Type, UInt64Type};

use super::{ConnectionRow, Output};
use crate::columns::{Addrs, Bytes, Numbers, Words};

#[derive(Default)]
pub(super) struct ConnectionColumns {
    pub id: Numbers<UInt64Type>,
    pub revision: Numbers<UInt16Type>,
    pub time: Numbers<TimestampNanosecondType>,
    pub last_time: Numbers<TimestampNanosecondType>,
    pub transport: Words,
    pub src_ip: Addrs,
    pub src_port: Numbers<UInt16Type>,
    pub dst_ip: Addrs,
    pub dst_port: Numbers<UInt16Type>,
    pub view: Words,
    pub protocol: Words,
    pub reason: Bytes,
    pub state: Words,
    pub handshake: Numbers<Int64Type>,
    pub bytes_sent: Numbers<UInt64Type>,
    pub bytes_received: Numbers<UInt64Type>,
    pub packets_sent: Numbers<UInt64Type>,
    pub packets_received: Numbers<UInt64Type>,
    pub retransmits: Numbers<UInt32Type>,
    pub gaps: Numbers<UInt32Type>,
    pub gap_bytes: Numbers<UInt64Type>,
    pub exchanges: Numbers<UInt32Type>,
    pub server_name: Bytes,
    pub alpn: Bytes,
    pub notes: Numbers<UInt32Type>,
    pub rows: usize,
}

impl ConnectionColumns {
    /// Takes all rows.
    pub fn take(&mut self) -> Vec<ArrayRef> {
        self.rows = 0;
        vec![
            self.id.take(),
            self.revision.take(),
            self.time.take(),
            self.last_time.take(),
            self.transport.take(),
            self.src_ip.take(),
            self.src_port.take(),
            self.dst_ip.take(),
            self.dst_port.take(),
            self.view.take(),
            self.protocol.take(),
            Arc::new(self.reason.take_text()),
            self.state.take(),
            self.handshake.take(),
            self.bytes_sent.take(),
            self.bytes_received.take(),
            self.packets_sent.take(),
            self.packets_received.take(),
            self.retransmits.take(),
            self.gaps.take(),
            self.gap_bytes.take(),
            self.exchanges.take(),
            Arc::new(self.server_name.take_text()),
            Arc::new(self.alpn.take_text()),
            self.notes.take(),
        ]
    }
}

impl Output {
    /// Puts out a connection.
    pub fn connection(&mut self, row: &ConnectionRow<'_>) {
        let c = &mut self.connections;
        c.rows += 1;
        c.id.push(row.id);
        c.revision.push(row.revision);
        c.time.push(row.time);
        c.last_time.push(row.last_time);
        c.transport.push(row.transport);
        c.src_ip.push(row.client.addr);
        c.src_port.push(row.client.port);
        c.dst_ip.push(row.server.addr);
        c.dst_port.push(row.server.port);
        c.view.push(row.view);
        c.protocol.push(row.protocol);
        c.reason.push_nonempty(row.reason.as_bytes());
        c.state.push(row.state);
        c.handshake.push_option(row.handshake);
        c.bytes_sent.push(row.bytes[0]);
        c.bytes_received.push(row.bytes[1]);
        c.packets_sent.push(row.packets[0]);
        c.packets_received.push(row.packets[1]);
        c.retransmits.push(row.retransmits);
        c.gaps.push(row.gaps);
        c.gap_bytes.push(row.gap_bytes);
        c.exchanges.push(row.exchanges);
        c.server_name.push_nonempty(row.server_name.as_bytes());
        c.alpn.push_nonempty(row.alpn.as_bytes());
        c.notes.push(row.notes);
    }
}

//! What dissectors and flows put out: exchanges, messages of streams, connections.

use crate::message::Message;
use crate::packet::{Endpoint, Nanos};
use crate::stream::Side;

/// How an exchange ended, in the words of the `outcome` column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Answered, not with an error.
    Ok,
    /// Answered with an error that the request is to blame for.
    ClientError,
    /// Answered with an error of the server.
    ServerError,
    /// Not answered in time.
    Timeout,
    /// Cut short by a reset or an early close.
    Reset,
    /// Refused.
    Refused,
    /// Part of it was not captured.
    Incomplete,
    /// Not finished when last seen.
    Open,
}

impl Outcome {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ClientError => "client_error",
            Self::ServerError => "server_error",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Refused => "refused",
            Self::Incomplete => "incomplete",
            Self::Open => "open",
        }
    }
}

/// An exchange as a dissector puts it out. Empty text is null.
#[derive(Clone, Copy)]
pub struct Exchange<'a> {
    /// Its id (see [`Output::exchange_id`]); the same for all revisions.
    pub id: [u8; 16],
    /// 0 at first; a higher one replaces what was put out before.
    pub revision: u16,
    /// `protocol` column.
    pub protocol: &'static str,
    /// `version` column.
    pub version: &'static str,
    /// `operation` column.
    pub operation: &'a [u8],
    /// `target` column, with its secrets.
    pub target: &'a [u8],
    /// `authority` column.
    pub authority: &'a [u8],
    /// `status` column.
    pub status: Option<i32>,
    /// `status_text` column.
    pub status_text: &'a [u8],
    /// `outcome` column.
    pub outcome: Outcome,
    /// `error` column.
    pub error: &'a str,
    /// The request; `None`: never seen.
    pub request: Option<&'a Message>,
    /// The response; `None`: none seen (yet).
    pub response: Option<&'a Message>,
    /// Reason phrase of the response.
    pub reason: &'a [u8],
    /// Interim statuses.
    pub interim: &'a [i32],
    /// Whether the response has ended.
    pub ended: bool,
    /// Stream within the connection.
    pub stream: Option<u64>,
    /// Messages so far.
    pub messages: Option<Messages>,
    /// Besides those of the messages: see [`notes`].
    pub notes: u32,
}

/// Counts and times of the messages of an exchange.
#[derive(Clone, Copy, Debug, Default)]
pub struct Messages {
    /// Sent by the client.
    pub sent: u32,
    /// Received by the client.
    pub received: u32,
    /// Time of the first.
    pub first: Option<Nanos>,
    /// Time of the last.
    pub last: Option<Nanos>,
}

/// A message of a stream as a dissector puts it out.
#[derive(Clone, Copy)]
pub struct StreamMessage<'a> {
    /// The exchange it belongs to.
    pub exchange: [u8; 16],
    /// Its number within the exchange.
    pub index: u32,
    /// When its last byte was captured.
    pub time: Nanos,
    /// Who sent it.
    pub side: Side,
    /// `kind` column.
    pub kind: &'static str,
    /// `name` column.
    pub name: &'a [u8],
    /// Bytes on the wire without framing.
    pub bytes: u64,
    /// Uncompressed bytes, if known.
    pub content_bytes: Option<u64>,
    /// None: the body is as it is to be kept. Otherwise it is decoded from this coding (`identity`: none; empty: an
    /// unknown one) and redacted here.
    pub coding: Option<&'a [u8]>,
    /// Media type of such a body.
    pub media_type: &'a [u8],
    /// Path of the gRPC method that it is a message of; empty: of none.
    pub method: &'a [u8],
    /// Body, cut at the limit already.
    pub body: Option<&'a [u8]>,
    /// See [`notes`].
    pub notes: u32,
}

/// A connection record.
#[derive(Clone, Debug)]
pub struct ConnectionRow<'a> {
    /// Id.
    pub id: u64,
    /// 0 at first; a higher one replaces what was put out before.
    pub revision: u16,
    /// First packet.
    pub time: Nanos,
    /// Last packet.
    pub last_time: Nanos,
    /// tcp or udp.
    pub transport: &'static str,
    /// Client.
    pub client: Endpoint,
    /// Server.
    pub server: Endpoint,
    /// `view` column.
    pub view: &'static str,
    /// Protocol or "unknown".
    pub protocol: &'static str,
    /// Why unknown, or what the state means.
    pub reason: &'a str,
    /// State.
    pub state: &'static str,
    /// SYN to SYN+ACK.
    pub handshake: Option<Nanos>,
    /// Payload bytes by [`Side`].
    pub bytes: [u64; 2],
    /// Packets by [`Side`].
    pub packets: [u64; 2],
    /// Repeated segments.
    pub retransmits: u32,
    /// Holes.
    pub gaps: u32,
    /// Bytes in them.
    pub gap_bytes: u64,
    /// Exchanges put out.
    pub exchanges: u32,
    /// TLS server name.
    pub server_name: &'a str,
    /// TLS application protocol.
    pub alpn: &'a str,
    /// See [`notes`].
    pub notes: u32,
}

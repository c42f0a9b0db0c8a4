//! Where records go: exchanges, messages and connections become rows here, decoded and redacted on the way in.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::types::{Int32Type, Int64Type, TimestampNanosecondType, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{ArrayRef, RecordBatch};

use crate::columns::{Addrs, Bytes, IntLists, Numbers, Pairs, Uuids, Words};
use crate::config::Config;
use crate::content::ContentDecoder;
use crate::counters::{Counter, Counters};
use crate::message::{Message, notes};
use crate::packet::{Endpoint, Nanos};
use crate::protocol::{Conn, Side};
use crate::redact::Redactor;
use crate::{id, schema};

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

/// What a header is besides a name and a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Plain,
    Secret,
    ContentType,
    ContentEncoding,
    TraceParent,
    B3,
    B3TraceId,
    B3SpanId,
}

/// Classes of header names by name: asking the redactor for each header of each message would cost more than all else.
#[derive(Default)]
struct Classes {
    known: HashMap<Box<[u8]>, Class, foldhash::fast::RandomState>,
}

/// Distinct header names whose class is remembered; real traffic has a few hundred.
const CLASSES: usize = 4096;

impl Classes {
    #[inline]
    fn of(&mut self, name: &[u8], redactor: &Redactor) -> Class {
        if let Some(class) = self.known.get(name) {
            return *class;
        }
        let class = match name.to_ascii_lowercase().as_slice() {
            b"content-type" => Class::ContentType,
            b"content-encoding" => Class::ContentEncoding,
            b"traceparent" => Class::TraceParent,
            b"b3" => Class::B3,
            b"x-b3-traceid" => Class::B3TraceId,
            b"x-b3-spanid" => Class::B3SpanId,
            _ if redactor.looks_into(name) => Class::Secret,
            _ => Class::Plain,
        };
        if self.known.len() < CLASSES && name.len() <= 64 {
            self.known.insert(name.into(), class);
        }
        class
    }
}

/// What the headers of a message said that has columns of its own; spans into the message's text.
#[derive(Default)]
struct Said {
    content_type: Option<(u32, u32)>,
    content_encoding: Option<(u32, u32)>,
    trace: Option<(Class, (u32, u32))>,
    span: Option<(u32, u32)>,
    redacted: bool,
}

#[derive(Default)]
struct ExchangeColumns {
    id: Uuids,
    revision: Numbers<UInt16Type>,
    time: Numbers<TimestampNanosecondType>,
    protocol: Words,
    version: Words,
    operation: Bytes,
    target: Bytes,
    authority: Bytes,
    status: Numbers<Int32Type>,
    status_text: Bytes,
    outcome: Words,
    error: Bytes,
    send: Numbers<Int64Type>,
    wait: Numbers<Int64Type>,
    receive: Numbers<Int64Type>,
    latency: Numbers<Int64Type>,
    src_ip: Addrs,
    src_port: Numbers<UInt16Type>,
    dst_ip: Addrs,
    dst_port: Numbers<UInt16Type>,
    view: Words,
    connection: Numbers<UInt64Type>,
    stream: Numbers<UInt64Type>,
    trace_id: Bytes,
    span_id: Bytes,
    messages_sent: Numbers<UInt32Type>,
    messages_received: Numbers<UInt32Type>,
    first_message: Numbers<TimestampNanosecondType>,
    last_message: Numbers<TimestampNanosecondType>,
    notes: Numbers<UInt32Type>,
    payload_id: Uuids,
    reason: Bytes,
    interim: IntLists,
    half: [HalfColumns; 2],
    rows: usize,
}

/// The columns that a request and a response both have, narrow and payload.
#[derive(Default)]
struct HalfColumns {
    head_bytes: Numbers<UInt32Type>,
    body_bytes: Numbers<UInt64Type>,
    content_bytes: Numbers<UInt64Type>,
    content_type: Bytes,
    seq: Numbers<UInt32Type>,
    headers: Pairs,
    trailers: Pairs,
    body: Bytes,
}

#[derive(Default)]
struct MessageColumns {
    exchange: Uuids,
    index: Numbers<UInt32Type>,
    time: Numbers<TimestampNanosecondType>,
    direction: Words,
    kind: Words,
    name: Bytes,
    bytes: Numbers<UInt64Type>,
    content_bytes: Numbers<UInt64Type>,
    connection: Numbers<UInt64Type>,
    notes: Numbers<UInt32Type>,
    payload_exchange: Uuids,
    payload_index: Numbers<UInt32Type>,
    body: Bytes,
    rows: usize,
}

#[derive(Default)]
struct ConnectionColumns {
    id: Numbers<UInt64Type>,
    revision: Numbers<UInt16Type>,
    time: Numbers<TimestampNanosecondType>,
    last_time: Numbers<TimestampNanosecondType>,
    transport: Words,
    src_ip: Addrs,
    src_port: Numbers<UInt16Type>,
    dst_ip: Addrs,
    dst_port: Numbers<UInt16Type>,
    view: Words,
    protocol: Words,
    reason: Bytes,
    state: Words,
    handshake: Numbers<Int64Type>,
    bytes_sent: Numbers<UInt64Type>,
    bytes_received: Numbers<UInt64Type>,
    packets_sent: Numbers<UInt64Type>,
    packets_received: Numbers<UInt64Type>,
    retransmits: Numbers<UInt32Type>,
    gaps: Numbers<UInt32Type>,
    gap_bytes: Numbers<UInt64Type>,
    exchanges: Numbers<UInt32Type>,
    server_name: Bytes,
    alpn: Bytes,
    notes: Numbers<UInt32Type>,
    rows: usize,
}

/// Messages whose buffers are kept for reuse.
const POOL: usize = 4096;
/// A buffer larger than this is freed instead of being kept: one large body must not pin its memory.
const POOLED_BYTES: usize = 128 << 10;

/// Makes rows; shared by all dissectors of an engine.
pub struct Output {
    /// Settings.
    pub config: Config,
    /// Counters of all stages.
    pub counters: Counters,
    /// Replaces secrets.
    pub redactor: Redactor,
    content: ContentDecoder,
    classes: Classes,
    #[allow(clippy::vec_box, reason = "they are handed out and taken back as boxes")]
    pool: Vec<Box<Message>>,
    decoded: Vec<u8>,
    redacted: Vec<u8>,
    exchanges: ExchangeColumns,
    messages: MessageColumns,
    connections: ConnectionColumns,
}

/// The Arrow batches that [`Output::take`] gives; `None` where there are no rows.
#[derive(Default)]
pub struct Batches {
    /// Rows of [`schema::EXCHANGE`].
    pub exchanges: Option<RecordBatch>,
    /// Rows of [`schema::PAYLOAD`], one for each exchange; `None` if heads are off.
    pub payloads: Option<RecordBatch>,
    /// Rows of [`schema::MESSAGE`].
    pub messages: Option<RecordBatch>,
    /// Rows of [`schema::MESSAGE_PAYLOAD`].
    pub message_payloads: Option<RecordBatch>,
    /// Rows of [`schema::CONNECTION`].
    pub connections: Option<RecordBatch>,
}

impl Output {
    /// With these settings.
    pub fn new(config: Config) -> Self {
        let redactor = match config.redact_key {
            Some(key) => Redactor::new(key, &config.redact_names),
            None => Redactor::disabled(),
        };
        Self {
            config,
            counters: Counters::default(),
            redactor,
            content: ContentDecoder::default(),
            classes: Classes::default(),
            pool: Vec::new(),
            decoded: Vec::new(),
            redacted: Vec::new(),
            exchanges: ExchangeColumns::default(),
            messages: MessageColumns::default(),
            connections: ConnectionColumns::default(),
        }
    }

    /// An empty message from the pool.
    pub fn message(&mut self) -> Box<Message> {
        self.pool.pop().unwrap_or_default()
    }

    /// Gives a message's buffers back.
    pub fn recycle(&mut self, mut message: Box<Message>) {
        let bytes = message.text.capacity() + message.body.data.capacity();
        if self.pool.len() < POOL && bytes <= POOLED_BYTES {
            message.clear();
            self.pool.push(message);
        }
    }

    /// The id of the exchange that begins at this offset of this side's stream (`stream`: of this stream in it).
    pub fn exchange_id(&self, conn: &Conn, time: Nanos, side: Side, offset: u64, stream: u64) -> [u8; 16] {
        id::uuid(time, id::mix(&[conn.id, side as u64, offset, stream]))
    }

    /// Exchanges waiting to be taken.
    pub fn exchange_rows(&self) -> usize {
        self.exchanges.rows
    }

    /// Rows of all kinds waiting to be taken.
    pub fn rows(&self) -> usize {
        self.exchanges.rows + self.messages.rows + self.connections.rows
    }

    /// Bytes of heads and bodies waiting to be taken: what bounds a batch besides its rows.
    pub fn payload_bytes(&self) -> usize {
        let half = |h: &HalfColumns| h.body.len_bytes() + h.headers.values.len_bytes() + h.headers.names.len_bytes();
        half(&self.exchanges.half[0]) + half(&self.exchanges.half[1]) + self.messages.body.len_bytes()
    }

    /// Puts out an exchange.
    pub fn exchange(&mut self, conn: &mut Conn, row: &Exchange<'_>) {
        let mut bits = row.notes;
        let mut said = [Said::default(), Said::default()];
        for (side, message) in [row.request, row.response].into_iter().enumerate() {
            if let Some(message) = message {
                bits |= message.notes;
                if conn.retransmitted_to[side] > message.first.offset {
                    bits |= notes::RETRANSMITTED;
                }
                self.half(side, conn, message, &mut said[side], &mut bits);
            } else {
                self.no_half(side);
            }
        }
        let c = &mut self.exchanges;
        c.rows += 1;
        if row.revision == 0 {
            self.counters.add(Counter::Exchanges, 1);
            conn.exchanges += 1;
        }
        c.id.push(row.id);
        c.revision.push(row.revision);
        let first = row.request.or(row.response);
        let time = first.map_or(0, |m| m.first.time);
        c.time.push(time);
        c.protocol.push(row.protocol);
        c.version.push(row.version);
        c.operation.push_nonempty(row.operation);
        self.redacted.clear();
        if row.target.is_empty() {
            c.target.push_null();
        } else if self.redactor.target(row.target, &mut self.redacted) {
            bits |= notes::REDACTED;
            c.target.push_text(&self.redacted);
        } else {
            c.target.push_text(row.target);
        }
        c.authority.push_nonempty(row.authority);
        c.status.push_option(row.status);
        c.status_text.push_nonempty(row.status_text);
        c.outcome.push(row.outcome.word());
        c.error.push_nonempty(row.error.as_bytes());

        // Clocks of capture buffers may disagree by a little: a duration is never negative.
        let between = |from: Nanos, to: Nanos| Some(to.saturating_sub(from).max(0));
        let streaming = bits & notes::STREAM != 0;
        let send = row.request.and_then(|q| between(q.first.time, q.last_time));
        let wait = row.request.zip(row.response).and_then(|(q, p)| between(q.last_time, p.first.time));
        let receive = row.response.filter(|_| row.ended).and_then(|p| between(p.first.time, p.last_time));
        let latency = row
            .request
            .zip(row.response)
            .filter(|_| streaming || row.ended)
            .and_then(|(q, p)| between(q.first.time, if streaming { p.first.time } else { p.last_time }));
        c.send.push_option(send);
        c.wait.push_option(wait);
        c.receive.push_option(receive);
        c.latency.push_option(latency);

        c.src_ip.push(conn.client.addr);
        c.src_port.push(conn.client.port);
        c.dst_ip.push(conn.server.addr);
        c.dst_port.push(conn.server.port);
        c.view.push(view(conn.client, conn.server));
        c.connection.push(conn.id);
        c.stream.push_option(row.stream);
        push_trace(c, row.request, &said[0]);
        c.messages_sent.push_option(row.messages.map(|m| m.sent));
        c.messages_received.push_option(row.messages.map(|m| m.received));
        c.first_message.push_option(row.messages.and_then(|m| m.first));
        c.last_message.push_option(row.messages.and_then(|m| m.last));
        if bits & notes::REDACTED != 0 {
            self.counters.add(Counter::Redacted, 1);
        }
        c.notes.push(bits);
        if self.config.heads {
            c.payload_id.push(row.id);
            c.reason.push_nonempty(row.reason);
            c.interim.push(row.interim);
        }
    }

    fn no_half(&mut self, side: usize) {
        let heads = self.config.heads;
        let c = &mut self.exchanges.half[side];
        c.head_bytes.push_option(None);
        c.body_bytes.push_option(None);
        c.content_bytes.push_option(None);
        c.content_type.push_null();
        c.seq.push_option(None);
        if heads {
            c.headers.end_row(false);
            c.trailers.end_row(false);
            c.body.push_null();
        }
    }

    fn half(&mut self, side: usize, conn: &Conn, message: &Message, said: &mut Said, bits: &mut u32) {
        let heads = self.config.heads;
        let c = &mut self.exchanges.half[side];
        c.head_bytes.push(message.head_bytes);
        c.body_bytes.push(message.body.bytes);
        c.seq.push_option(conn.tcp.then(|| conn.seq_base[side].wrapping_add(message.first.offset as u32)));

        // One look at the whole text instead of one at each of its pieces.
        let ascii = message.text.is_ascii();
        for (headers, pairs) in [(&message.headers, &mut c.headers), (&message.trailers, &mut c.trailers)] {
            for header in headers {
                let (Some(name), Some(value)) = (header.name, header.value) else {
                    if heads {
                        match header.name {
                            Some(name) => pairs.names.push_text(message.span(name)),
                            None => pairs.names.push_null(),
                        }
                        pairs.values.push_null();
                    }
                    continue;
                };
                let (name_text, value_text) = (message.span(name), message.span(value));
                let class = self.classes.of(name_text, &self.redactor);
                match class {
                    Class::Plain => {}
                    Class::Secret => {
                        self.redacted.clear();
                        if heads && self.redactor.header(name_text, value_text, &mut self.redacted) {
                            said.redacted = true;
                            pairs.names.push_text(name_text);
                            pairs.values.push_text(&self.redacted);
                            continue;
                        }
                    }
                    Class::ContentType => said.content_type = said.content_type.or(Some(value)),
                    Class::ContentEncoding => said.content_encoding = said.content_encoding.or(Some(value)),
                    Class::TraceParent => said.trace = Some((class, value)),
                    Class::B3 | Class::B3TraceId => said.trace = said.trace.or(Some((class, value))),
                    Class::B3SpanId => said.span = Some(value),
                }
                if heads {
                    if ascii {
                        pairs.names.push(name_text);
                        pairs.values.push(value_text);
                    } else {
                        pairs.names.push_text(name_text);
                        pairs.values.push_text(value_text);
                    }
                }
            }
            if heads {
                pairs.end_row(!headers.is_empty());
            }
        }

        let media_type = said.content_type.map_or(&b""[..], |span| media_type(message.span(span)));
        if media_type.is_empty() {
            c.content_type.push_null();
        } else {
            c.content_type.push_lower(media_type);
        }
        if said.redacted {
            *bits |= notes::REDACTED;
        }
        self.body(side, message, said, media_type, bits);
    }

    /// Content coding removed, secrets replaced, cut at the limit.
    fn body(&mut self, side: usize, message: &Message, said: &Said, media_type: &[u8], bits: &mut u32) {
        let limit = self.config.body_limit;
        let c = &mut self.exchanges.half[side];
        let body = &message.body;
        let coding = message.coding.or(said.content_encoding);
        let coding_name = coding.map_or(&b""[..], |span| message.span(span)).trim_ascii();
        let unknown = message.coding.is_some() && coding_name.is_empty();
        let coded = body.bytes > 0 && !body.withheld && (unknown || is_coded(coding_name));
        let mut cut = body.bytes > body.data.len() as u64 && !body.withheld;
        let mut kept = Some(body.data.as_slice()).filter(|_| !body.withheld);
        // Some protocols have no body on the wire but show their content as one.
        let mut content_bytes = Some(body.bytes.max(body.data.len() as u64));
        if coded && limit > 0 {
            self.decoded.clear();
            match self.content.decode(
                coding_name,
                &body.data,
                body.is_whole(),
                limit,
                self.config.limits.inflated,
                &mut self.decoded,
            ) {
                Ok(decoded) => {
                    content_bytes = decoded.content_bytes;
                    cut = decoded.cut || !body.is_whole();
                    kept = Some(&self.decoded);
                }
                Err(_) => {
                    *bits |= notes::UNDECODABLE;
                    self.counters.add(Counter::Undecodable, 1);
                    content_bytes = None;
                    // What can't be read can't be searched for secrets.
                    if self.redactor.is_enabled() {
                        kept = None;
                    }
                }
            }
        } else if coded || (body.withheld && message.coding.is_some()) {
            content_bytes = None;
        }
        c.content_bytes.push_option(content_bytes);
        if limit > 0 && cut && body.lost == 0 {
            *bits |= if side == 0 { notes::REQUEST_CUT } else { notes::RESPONSE_CUT };
            self.counters.add(Counter::BodiesCut, 1);
        }
        if !self.config.heads {
            return;
        }
        match kept {
            Some(bytes) if limit > 0 && !bytes.is_empty() => {
                self.redacted.clear();
                if self.redactor.body(media_type, bytes, &mut self.redacted) {
                    *bits |= notes::REDACTED;
                    c.body.push(&self.redacted);
                } else {
                    c.body.push(bytes);
                }
            }
            _ => c.body.push_null(),
        }
    }

    /// Puts out a message of a stream.
    pub fn stream_message(&mut self, conn: &Conn, row: &StreamMessage<'_>) {
        let (mut content_bytes, mut body, mut bits) = (row.content_bytes, row.body, row.notes);
        if let (Some(coding), Some(raw), true) = (row.coding, row.body, row.bytes > 0) {
            if is_coded(coding) || coding.is_empty() {
                self.decoded.clear();
                let (limit, inflated) = (self.config.body_limit, self.config.limits.inflated);
                let whole = raw.len() as u64 == row.bytes;
                match self.content.decode(coding, raw, whole, limit, inflated, &mut self.decoded) {
                    Ok(decoded) => {
                        content_bytes = decoded.content_bytes;
                        body = Some(&self.decoded);
                    }
                    Err(_) => {
                        bits |= notes::UNDECODABLE;
                        self.counters.add(Counter::Undecodable, 1);
                        content_bytes = None;
                        // What can't be read can't be searched for secrets.
                        body = body.filter(|_| !self.redactor.is_enabled());
                    }
                }
            }
            self.redacted.clear();
            if let Some(bytes) = body
                && self.redactor.body(row.media_type, bytes, &mut self.redacted)
            {
                bits |= notes::REDACTED;
                body = Some(&self.redacted);
            }
        }
        let c = &mut self.messages;
        c.rows += 1;
        self.counters.add(Counter::Messages, 1);
        c.exchange.push(row.exchange);
        c.index.push(row.index);
        c.time.push(row.time);
        c.direction.push(match row.side {
            Side::Client => "sent",
            Side::Server => "received",
        });
        c.kind.push(row.kind);
        c.name.push_nonempty(row.name);
        c.bytes.push(row.bytes);
        c.content_bytes.push_option(content_bytes);
        c.connection.push(conn.id);
        c.notes.push(bits);
        if self.config.heads {
            c.payload_exchange.push(row.exchange);
            c.payload_index.push(row.index);
            match body {
                Some(body) if self.config.body_limit > 0 => c.body.push(body),
                _ => c.body.push_null(),
            }
        }
    }

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
        c.view.push(view(row.client, row.server));
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

    /// Takes all rows.
    pub fn take(&mut self) -> Batches {
        let mut batches = Batches::default();
        if self.exchanges.rows > 0 {
            let (narrow, payload) = take_exchanges(&mut self.exchanges, self.config.heads);
            batches.exchanges = Some(batch(&schema::EXCHANGE, narrow));
            batches.payloads = payload.map(|columns| batch(&schema::PAYLOAD, columns));
        }
        if self.messages.rows > 0 {
            let c = &mut self.messages;
            c.rows = 0;
            let narrow = vec![
                c.exchange.take(),
                c.index.take(),
                c.time.take(),
                c.direction.take(),
                c.kind.take(),
                Arc::new(c.name.take_text()),
                c.bytes.take(),
                c.content_bytes.take(),
                c.connection.take(),
                c.notes.take(),
            ];
            batches.messages = Some(batch(&schema::MESSAGE, narrow));
            if self.config.heads {
                let payload =
                    vec![c.payload_exchange.take(), c.payload_index.take(), Arc::new(c.body.take_binary()) as ArrayRef];
                batches.message_payloads = Some(batch(&schema::MESSAGE_PAYLOAD, payload));
            }
        }
        if self.connections.rows > 0 {
            let columns = take_connections(&mut self.connections);
            batches.connections = Some(batch(&schema::CONNECTION, columns));
        }
        batches
    }
}

fn batch(schema: &arrow_schema::SchemaRef, columns: Vec<ArrayRef>) -> RecordBatch {
    RecordBatch::try_new(schema.clone(), columns).expect("the columns are those of the schema")
}

fn take_exchanges(c: &mut ExchangeColumns, heads: bool) -> (Vec<ArrayRef>, Option<Vec<ArrayRef>>) {
    c.rows = 0;
    let [request, response] = &mut c.half;
    let narrow: Vec<ArrayRef> = vec![
        c.id.take(),
        c.revision.take(),
        c.time.take(),
        c.protocol.take(),
        c.version.take(),
        Arc::new(c.operation.take_text()),
        Arc::new(c.target.take_text()),
        Arc::new(c.authority.take_text()),
        c.status.take(),
        Arc::new(c.status_text.take_text()),
        c.outcome.take(),
        Arc::new(c.error.take_text()),
        c.send.take(),
        c.wait.take(),
        c.receive.take(),
        c.latency.take(),
        c.src_ip.take(),
        c.src_port.take(),
        c.dst_ip.take(),
        c.dst_port.take(),
        c.view.take(),
        request.head_bytes.take(),
        request.body_bytes.take(),
        request.content_bytes.take(),
        Arc::new(request.content_type.take_text()),
        response.head_bytes.take(),
        response.body_bytes.take(),
        response.content_bytes.take(),
        Arc::new(response.content_type.take_text()),
        c.connection.take(),
        c.stream.take(),
        request.seq.take(),
        response.seq.take(),
        Arc::new(c.trace_id.take_text()),
        Arc::new(c.span_id.take_text()),
        c.messages_sent.take(),
        c.messages_received.take(),
        c.first_message.take(),
        c.last_message.take(),
        c.notes.take(),
    ];
    let payload = heads.then(|| -> Vec<ArrayRef> {
        vec![
            c.payload_id.take(),
            request.headers.take(),
            request.trailers.take(),
            Arc::new(request.body.take_binary()),
            response.headers.take(),
            response.trailers.take(),
            Arc::new(response.body.take_binary()),
            Arc::new(c.reason.take_text()),
            c.interim.take(),
        ]
    });
    (narrow, payload)
}

fn take_connections(c: &mut ConnectionColumns) -> Vec<ArrayRef> {
    c.rows = 0;
    vec![
        c.id.take(),
        c.revision.take(),
        c.time.take(),
        c.last_time.take(),
        c.transport.take(),
        c.src_ip.take(),
        c.src_port.take(),
        c.dst_ip.take(),
        c.dst_port.take(),
        c.view.take(),
        c.protocol.take(),
        Arc::new(c.reason.take_text()),
        c.state.take(),
        c.handshake.take(),
        c.bytes_sent.take(),
        c.bytes_received.take(),
        c.packets_sent.take(),
        c.packets_received.take(),
        c.retransmits.take(),
        c.gaps.take(),
        c.gap_bytes.take(),
        c.exchanges.take(),
        Arc::new(c.server_name.take_text()),
        Arc::new(c.alpn.take_text()),
        c.notes.take(),
    ]
}

fn view(client: Endpoint, server: Endpoint) -> &'static str {
    if client.addr == server.addr || (client.addr.is_loopback() && server.addr.is_loopback()) { "loopback" } else { "" }
}

/// Whether a content coding changes anything.
fn is_coded(coding: &[u8]) -> bool {
    !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity")
}

/// `Text/HTML; charset=utf-8` -> `Text/HTML` (RFC 9110 section 8.3.1).
fn media_type(value: &[u8]) -> &[u8] {
    let end = memchr::memchr(b';', value).unwrap_or(value.len());
    value[..end].trim_ascii()
}

/// Trace and span ids from W3C Trace Context or B3 headers.
fn push_trace(c: &mut ExchangeColumns, request: Option<&Message>, said: &Said) {
    let ids = request.zip(said.trace).and_then(|(request, (class, span))| {
        let value = request.span(span).trim_ascii();
        let is_hex = |text: &[u8]| text.iter().all(u8::is_ascii_hexdigit);
        let mut parts = value.split(|&b| b == b'-');
        let (trace, span_id) = match class {
            // version "-" trace-id "-" parent-id "-" trace-flags
            Class::TraceParent => (parts.nth(1)?, parts.next()),
            // {TraceId}-{SpanId}-{SamplingState}-{ParentSpanId}
            Class::B3 => (parts.next()?, parts.next()),
            _ => (value, said.span.map(|span| request.span(span).trim_ascii())),
        };
        let span_id = span_id.filter(|s| s.len() == 16 && is_hex(s));
        (matches!(trace.len(), 16 | 32) && is_hex(trace)).then_some((trace, span_id))
    });
    match ids {
        Some((trace, span)) => {
            c.trace_id.push_lower(trace);
            match span {
                Some(span) => c.span_id.push_lower(span),
                None => c.span_id.push_null(),
            }
        }
        None => {
            c.trace_id.push_null();
            c.span_id.push_null();
        }
    }
}

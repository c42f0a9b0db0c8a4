//! Where records go: exchanges, messages and connections become rows here, decoded and redacted on the way in.

mod body;
mod connection;
mod exchange;
mod head;
mod message;
mod record;

use arrow_array::{ArrayRef, RecordBatch};

use self::connection::ConnectionColumns;
use self::exchange::ExchangeColumns;
use self::head::Classes;
use self::message::MessageColumns;
pub use self::record::{ConnectionRow, Exchange, Messages, Outcome, StreamMessage};
use crate::config::Config;
use crate::conn::Conn;
use crate::content::ContentDecoder;
use crate::counters::Counters;
use crate::message::Message;
use crate::packet::Nanos;
use crate::redact::Redactor;
use crate::stream::Side;
use crate::{id, schema};

/// Bytes of messages that are kept for reuse.
const POOL_BYTES: usize = 32 << 20;
/// A message larger than this is freed instead of being kept: one large body must not pin its memory.
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
    pool_bytes: usize,
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
        let mut redactor = match config.redact_key {
            Some(key) => Redactor::new(key, &config.redact_names),
            None => Redactor::disabled(),
        };
        for set in &config.descriptors {
            redactor.know(set);
        }
        Self {
            config,
            counters: Counters::default(),
            redactor,
            content: ContentDecoder::default(),
            classes: Classes::default(),
            pool: Vec::new(),
            pool_bytes: 0,
            decoded: Vec::new(),
            redacted: Vec::new(),
            exchanges: ExchangeColumns::default(),
            messages: MessageColumns::default(),
            connections: ConnectionColumns::default(),
        }
    }

    /// An empty message from the pool.
    pub fn message(&mut self) -> Box<Message> {
        let message = self.pool.pop().unwrap_or_default();
        self.pool_bytes = self.pool_bytes.saturating_sub(message.held());
        message
    }

    /// Gives a message's buffers back.
    pub fn recycle(&mut self, mut message: Box<Message>) {
        let bytes = message.held();
        if bytes <= POOLED_BYTES && self.pool_bytes + bytes <= POOL_BYTES {
            message.clear();
            self.pool.push(message);
            self.pool_bytes += bytes;
        }
    }

    /// The id of the exchange that begins at this offset of this side's stream (`stream`: of this stream in it).
    pub fn exchange_id(&self, conn: &Conn, time: Nanos, side: Side, offset: u64, stream: u64) -> [u8; 16] {
        // The time too: people name a record by its last digits, and a question asked again has all the rest alike.
        id::uuid(time, id::mix(&[conn.id, time as u64, offset, stream << 1 | side as u64]))
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
        let half =
            |h: &exchange::HalfColumns| h.body.len_bytes() + h.headers.values.len_bytes() + h.headers.names.len_bytes();
        half(&self.exchanges.half[0]) + half(&self.exchanges.half[1]) + self.messages.body.len_bytes()
    }

    /// Takes all rows.
    pub fn take(&mut self) -> Batches {
        let mut batches = Batches::default();
        let heads = self.config.heads;
        if self.exchanges.rows > 0 {
            let (narrow, payload) = self.exchanges.take(heads);
            batches.exchanges = Some(batch(&schema::EXCHANGE, narrow));
            batches.payloads = payload.map(|columns| batch(&schema::PAYLOAD, columns));
        }
        if self.messages.rows > 0 {
            let (narrow, payload) = self.messages.take(heads);
            batches.messages = Some(batch(&schema::MESSAGE, narrow));
            batches.message_payloads = payload.map(|columns| batch(&schema::MESSAGE_PAYLOAD, columns));
        }
        if self.connections.rows > 0 {
            batches.connections = Some(batch(&schema::CONNECTION, self.connections.take()));
        }
        batches
    }
}

fn batch(schema: &arrow_schema::SchemaRef, columns: Vec<ArrayRef>) -> RecordBatch {
    RecordBatch::try_new(schema.clone(), columns).expect("the columns are those of the schema")
}

//! Capture files through the pipeline, one after another as one.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use arrow_ipc::CompressionType;

use crate::config::Config;
use crate::output::Batches;
use crate::packet::Nanos;
use crate::pipeline::{PayloadWriter, Pipeline};
use crate::schema;
use crate::source::file::FileSource;
use crate::source::{CaptureError, Next};

/// Rows of a slow pipe wait no longer than this.
const FLUSH: Duration = Duration::from_millis(250);
/// Packets between looks at the clock and at the stop flag: a look costs about as much as a packet.
const STRIDE: u32 = 256;

/// What one step of a reader gives.
pub struct ReadBatch {
    /// Exchanges, messages, connections.
    pub batches: Batches,
    /// `batches.payloads` as a compressed IPC message.
    pub payloads: Option<Vec<u8>>,
    /// `batches.message_payloads` as a compressed IPC message.
    pub message_payloads: Option<Vec<u8>>,
    /// The newest counters.
    pub counters: RecordBatch,
    /// Bytes read so far, as stored.
    pub position: u64,
    /// Packets read so far.
    pub packets: u64,
    /// Time of the newest packet.
    pub now: Nanos,
}

/// Says when a batch ends by the time of its packets. The first one has the first packet alone, which tells when all
/// begins.
struct Span {
    length: Nanos,
    until: Option<Nanos>,
}

impl Span {
    /// Whether a packet of this time is for the next batch.
    fn ends(&mut self, time: Nanos) -> bool {
        let ends = self.until.is_some_and(|until| time >= until);
        if ends {
            self.until = Some(time.saturating_add(self.length));
        }
        self.until.get_or_insert(time);
        ends
    }
}

/// Reads capture files.
pub struct Reader {
    paths: VecDeque<String>,
    source: Option<FileSource>,
    pipeline: Pipeline,
    writers: PayloadWriters,
    batch_rows: usize,
    span: Option<Span>,
    finished_bytes: u64,
    error: Option<CaptureError>,
    ended: bool,
}

impl Reader {
    /// Opens nothing yet.
    pub fn new(paths: Vec<String>, config: Config, batch_rows: usize, compression: Option<CompressionType>) -> Self {
        Self {
            paths: paths.into(),
            source: None,
            pipeline: Pipeline::new(config),
            writers: PayloadWriters::new(compression),
            batch_rows,
            span: None,
            finished_bytes: 0,
            error: None,
            ended: false,
        }
    }

    /// Has a batch end, if need be an empty one, before the packet that comes so long after its first one.
    pub fn set_span(&mut self, length: Nanos) {
        self.span = Some(Span { length, until: None });
    }

    /// Reads until a batch is full, a slow pipe made its rows wait, or the end. After `None` comes nothing more. An
    /// error is given once, behind the records before it; then the next file follows.
    pub fn next(&mut self, stop: &AtomicBool) -> Result<Option<ReadBatch>, CaptureError> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        if self.ended {
            return Ok(None);
        }
        let began = Instant::now();
        let mut stride = 0u32;
        loop {
            if stride == 0 {
                if stop.load(Ordering::Relaxed) {
                    self.ended = true;
                    return Ok(None);
                }
                if began.elapsed() >= FLUSH && self.pipeline.rows() > 0 {
                    return Ok(Some(self.batch()));
                }
            }
            stride = (stride + 1) % STRIDE;
            let Some(source) = &mut self.source else {
                let Some(path) = self.paths.pop_front() else {
                    self.ended = true;
                    self.pipeline.end();
                    return Ok(Some(self.batch()));
                };
                match FileSource::open(&path) {
                    Ok(source) => self.source = Some(source),
                    Err(error) => return self.fail(error),
                }
                continue;
            };
            let position = self.finished_bytes + source.position();
            match source.next() {
                Ok(Next::Packet(packet)) => {
                    let ends = self.span.as_mut().is_some_and(|span| span.ends(packet.time));
                    let before = ends.then(|| ReadBatch::take(&mut self.pipeline, &mut self.writers, position, &[]));
                    self.pipeline.packet(&packet);
                    if before.is_some() {
                        return Ok(before);
                    }
                }
                // Also without rows: the caller may have signals to look at.
                Ok(Next::Idle) => return Ok(Some(self.batch())),
                Ok(Next::End) => {
                    self.finished_bytes += source.position();
                    self.source = None;
                }
                Err(error) => {
                    self.finished_bytes += source.position();
                    self.source = None;
                    return self.fail(error);
                }
            }
            if self.pipeline.is_full(self.batch_rows) {
                return Ok(Some(self.batch()));
            }
        }
    }

    fn fail(&mut self, error: CaptureError) -> Result<Option<ReadBatch>, CaptureError> {
        if self.pipeline.rows() == 0 {
            return Err(error);
        }
        self.error = Some(error);
        Ok(Some(self.batch()))
    }

    fn batch(&mut self) -> ReadBatch {
        let position = self.finished_bytes + self.source.as_ref().map_or(0, FileSource::position);
        ReadBatch::take(&mut self.pipeline, &mut self.writers, position, &[])
    }
}

/// The writers of what goes along with rows.
pub struct PayloadWriters {
    heads: PayloadWriter,
    messages: PayloadWriter,
}

impl PayloadWriters {
    /// Compressed so; `None`: not at all.
    pub fn new(compression: Option<CompressionType>) -> Self {
        let writer = |schema| PayloadWriter::new(schema, compression);
        Self { heads: writer(&schema::PAYLOAD), messages: writer(&schema::MESSAGE_PAYLOAD) }
    }
}

impl ReadBatch {
    /// Takes what is there.
    pub fn take(
        pipeline: &mut Pipeline,
        writers: &mut PayloadWriters,
        position: u64,
        source: &[(&'static str, &'static str, u64)],
    ) -> Self {
        let batches = pipeline.take();
        let payloads = batches.payloads.as_ref().map(|batch| writers.heads.message(batch));
        let message_payloads = batches.message_payloads.as_ref().map(|batch| writers.messages.message(batch));
        Self {
            payloads,
            message_payloads,
            batches,
            counters: pipeline.counters(source),
            position,
            packets: pipeline.packets(),
            now: pipeline.now(),
        }
    }
}

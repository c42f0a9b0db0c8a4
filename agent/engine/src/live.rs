//! Live packets through the pipeline.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arrow_ipc::CompressionType;

use crate::config::Config;
use crate::pipeline::{PayloadWriter, Pipeline};
use crate::reader::ReadBatch;
use crate::source::live::{HAND_OVER, LiveSource, OpenError, Options, Wait, Wanted};

/// How often what is not finished is put out, so that a viewer sees it.
const REPORT: Duration = Duration::from_secs(1);
/// Rows a second that this may cost at most: with many flows it is done less often.
const REPORT_ROWS: usize = 5_000;

/// Reads live packets.
pub struct LiveReader {
    source: LiveSource,
    pipeline: Pipeline,
    writer: PayloadWriter,
    batch_rows: usize,
    flush: Duration,
    reported: Instant,
    ended: bool,
}

impl LiveReader {
    /// Opens the source; packets are taken from then on.
    pub fn open(
        options: Options,
        config: Config,
        batch_rows: usize,
        flush: Duration,
        compression: Option<CompressionType>,
    ) -> Result<Self, OpenError> {
        Ok(Self {
            source: LiveSource::open(options)?,
            pipeline: Pipeline::new(config),
            writer: PayloadWriter::new(compression),
            batch_rows,
            flush,
            reported: Instant::now(),
            ended: false,
        })
    }

    /// What ends a wait early.
    pub fn waker(&self) -> crate::source::live::Waker {
        self.source.waker()
    }

    /// Sets which packets are taken, at once for all that follow.
    pub fn set_wanted(&mut self, wanted: Wanted) -> Result<(), OpenError> {
        self.source.set_wanted(wanted)
    }

    /// Reads until a batch is full or its time has come. The last one, behind which comes nothing more, has what was
    /// still open when it was told to stop, or when its namespace went.
    pub fn next(&mut self, stop: &AtomicBool) -> Option<ReadBatch> {
        if self.ended {
            return None;
        }
        let began = Instant::now();
        loop {
            if stop.load(Ordering::Relaxed) {
                self.drain();
                return Some(self.end());
            }
            match self.source.wait(self.flush.saturating_sub(began.elapsed())) {
                Wait::Packets(mut packets) => {
                    while let Some(packet) = packets.next() {
                        self.pipeline.packet(&packet);
                    }
                }
                Wait::Until(time) => self.pipeline.tick(time),
                Wait::Gone => self.ended = true,
            }
            if self.ended {
                return Some(self.end());
            }
            if self.pipeline.is_full(self.batch_rows) || began.elapsed() >= self.flush {
                let rows_time = Duration::from_secs(1) * self.pipeline.flows() as u32 / REPORT_ROWS as u32;
                if self.reported.elapsed() >= REPORT.max(rows_time) {
                    self.pipeline.report();
                    self.reported = Instant::now();
                }
                return Some(self.batch());
            }
        }
    }

    /// Takes what was captured until now, the block that is being filled included.
    fn drain(&mut self) {
        let began = Instant::now();
        while let Some(left) = HAND_OVER.checked_sub(began.elapsed()) {
            if let Wait::Packets(mut packets) = self.source.wait(left) {
                while let Some(packet) = packets.next() {
                    self.pipeline.packet(&packet);
                }
            }
        }
    }

    fn end(&mut self) -> ReadBatch {
        self.ended = true;
        self.pipeline.end();
        self.batch()
    }

    fn batch(&mut self) -> ReadBatch {
        let ring = self.source.counters();
        let counters = [
            ("ring", "packets", ring.packets),
            ("ring", "drops", ring.drops),
            ("ring", "freezes", ring.freezes),
            ("ring", "interface_losses", ring.losses),
        ];
        let position = self.pipeline.packet_bytes();
        ReadBatch::take(&mut self.pipeline, &mut self.writer, position, &counters)
    }
}

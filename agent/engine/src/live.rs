//! Live packets through the pipeline.

use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arrow_ipc::CompressionType;

use crate::config::Config;
use crate::gate::Wanted;
use crate::pipeline::Pipeline;
use crate::reader::{PayloadWriters, ReadBatch};
use crate::recording::{Bounds, Recording};
use crate::source::live::{LiveSource, Names, OpenError, Options, Packets, Switch, Wait};

/// How often what is not finished is put out, so that a viewer sees it.
const REPORT: Duration = Duration::from_secs(1);
/// Rows a second that this may cost at most: with many flows it is done less often.
const REPORT_ROWS: u32 = 5_000;

/// Reads live packets.
pub struct LiveReader {
    source: LiveSource,
    control: Arc<Control>,
    pipeline: Pipeline,
    recording: Option<Recording>,
    writers: PayloadWriters,
    batch_rows: usize,
    flush: Duration,
    reported: Instant,
    /// When the last batch was given.
    given: Instant,
    ended: bool,
    broken: bool,
    /// It fails at the next packet.
    #[cfg(test)]
    pub(crate) faulty: bool,
}

/// What other threads may do to a reader while it reads.
pub struct Control {
    switch: Switch,
    stop: AtomicBool,
    orders: Mutex<Orders>,
    problem: Mutex<Option<String>>,
}

/// What the reading thread is to do next.
#[derive(Default)]
struct Orders {
    wanted: Option<Wanted>,
    shed: Option<(bool, u32)>,
}

impl Control {
    /// Ends reading: the step that runs gives the last batch.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.switch.wake();
    }

    /// Whether it was told to stop.
    pub(crate) fn stops(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// What to wait on: for packets, and for other threads.
    pub(crate) fn descriptors(&self) -> [BorrowedFd<'_>; 2] {
        self.switch.descriptors()
    }

    /// Sets which packets are taken: at once for all that follow.
    pub fn set_wanted(&self, wanted: Wanted) -> Result<(), OpenError> {
        self.switch.set_filter(&wanted)?;
        lock(&self.orders).wanted = Some(wanted);
        self.switch.wake();
        Ok(())
    }

    /// See [`Pipeline::shed`].
    pub fn shed(&self, bodies: bool, keep_one_in: u32) {
        lock(&self.orders).shed = Some((bodies, keep_one_in));
        self.switch.wake();
    }

    /// Why raw packets are not written any more.
    pub fn recording_problem(&self) -> Option<String> {
        lock(&self.problem).clone()
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LiveReader {
    /// Opens the source; packets are taken from then on.
    pub fn open(
        options: Options,
        config: Config,
        batch_rows: usize,
        flush: Duration,
        compression: Option<CompressionType>,
        record: Option<Bounds>,
    ) -> Result<Self, OpenError> {
        let mut pipeline = Pipeline::new(config);
        pipeline.set_wanted(options.wanted.clone());
        let source = LiveSource::open(options)?;
        let recording = record.map(|bounds| {
            let name = bounds.path.display().to_string();
            Recording::create(bounds).map_err(|error| OpenError::Failed(format!("{name} can't be written: {error}")))
        });
        let control = Control {
            switch: source.switch(),
            stop: AtomicBool::new(false),
            orders: Mutex::default(),
            problem: Mutex::default(),
        };
        Ok(Self {
            source,
            control: Arc::new(control),
            pipeline,
            recording: recording.transpose()?,
            writers: PayloadWriters::new(compression),
            batch_rows,
            flush,
            reported: Instant::now(),
            given: Instant::now(),
            ended: false,
            broken: false,
            #[cfg(test)]
            faulty: false,
        })
    }

    /// For other threads.
    pub fn control(&self) -> Arc<Control> {
        Arc::clone(&self.control)
    }

    /// Reads until a batch is full or its time has come. The last one, behind which comes nothing more, has what was
    /// still open when it was told to stop, or when its namespace went.
    pub fn read(&mut self) -> Option<ReadBatch> {
        if self.ended {
            return None;
        }
        let began = Instant::now();
        loop {
            self.obey();
            if self.control.stops() {
                self.drain();
                return Some(self.end());
            }
            self.look(self.flush.saturating_sub(began.elapsed()));
            if self.ended {
                return Some(self.end());
            }
            if self.pipeline.is_full(self.batch_rows) || began.elapsed() >= self.flush {
                return Some(self.give());
            }
        }
    }

    /// Takes what is there and waits for nothing; a batch only when one is full. For one thread that reads many.
    pub(crate) fn take_ready(&mut self) -> Option<ReadBatch> {
        self.obey();
        for _ in 0..self.source.blocks() {
            if !self.source.is_ready() {
                break;
            }
            self.look(Duration::ZERO);
            if self.pipeline.is_full(self.batch_rows) {
                return Some(self.give());
            }
        }
        None
    }

    /// A batch of what there is until now.
    pub(crate) fn give_due(&mut self) -> ReadBatch {
        self.look(Duration::ZERO);
        if self.ended { self.end() } else { self.give() }
    }

    /// Takes a block of packets, or learns that none came; waits for one at most so long.
    fn look(&mut self, at_most: Duration) {
        match self.source.wait(at_most) {
            Wait::Packets(packets, names) => {
                #[cfg(test)]
                assert!(!self.faulty, "as the test wants it");
                take(packets, &names, &mut self.pipeline, self.recording.as_mut());
            }
            Wait::Until(time) => self.pipeline.tick(time),
            Wait::Gone => self.ended = true,
        }
    }

    fn give(&mut self) -> ReadBatch {
        self.report();
        self.batch()
    }

    /// When a batch is to be given though it may not be full.
    pub(crate) fn due(&self, flush: Duration) -> Instant {
        self.given + self.flush.max(flush)
    }

    /// Gives nothing more: it failed in the middle of something.
    pub(crate) fn break_off(&mut self) {
        self.ended = true;
        self.broken = true;
    }

    /// Whether it ended by a fault of its own.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether it gave its last batch.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Sees to what its descriptors told that is no packet.
    pub(crate) fn attend(&mut self) {
        self.source.poll(Duration::ZERO);
    }

    fn obey(&mut self) {
        let orders = std::mem::take(&mut *lock(&self.control.orders));
        if let Some(wanted) = orders.wanted {
            self.pipeline.set_wanted(wanted);
        }
        if let Some((bodies, keep_one_in)) = orders.shed {
            self.pipeline.shed(bodies, keep_one_in);
        }
    }

    /// Takes what was captured until now. Then all is refused, and what came meanwhile taken, so that what the ring
    /// counted was seen or dropped.
    fn drain(&mut self) {
        self.sweep();
        self.source.refuse();
        self.sweep();
    }

    /// Takes all that the ring holds, the block that is being filled included, but not what goes on coming for ever.
    fn sweep(&mut self) {
        let began = Instant::now();
        for _ in 0..=self.source.blocks() {
            loop {
                let left = self.source.hand_over().saturating_sub(began.elapsed());
                match self.source.wait(left) {
                    Wait::Packets(packets, names) => {
                        take(packets, &names, &mut self.pipeline, self.recording.as_mut());
                        break;
                    }
                    _ if left.is_zero() => return,
                    _ => {}
                }
            }
        }
    }

    fn report(&mut self) {
        let rows_time = Duration::from_secs(1) * self.pipeline.flows() as u32 / REPORT_ROWS;
        if self.reported.elapsed() >= REPORT.max(rows_time) {
            self.pipeline.report();
            self.reported = Instant::now();
        }
    }

    fn end(&mut self) -> ReadBatch {
        self.ended = true;
        self.pipeline.end();
        self.batch()
    }

    fn batch(&mut self) -> ReadBatch {
        let mut counters = self.source.counters().to_vec();
        if let Some(recording) = &mut self.recording {
            recording.flush();
            counters.extend(recording.counters());
            *lock(&self.control.problem) = recording.problem().map(str::to_string);
        }
        self.given = Instant::now();
        let position = self.pipeline.packet_bytes();
        ReadBatch::take(&mut self.pipeline, &mut self.writers, position, &counters)
    }
}

/// Takes the packets of a block.
fn take(mut packets: Packets<'_>, names: &Names<'_>, pipeline: &mut Pipeline, mut recording: Option<&mut Recording>) {
    while let Some(packet) = packets.next() {
        if let Some(recording) = &mut recording {
            recording.packet(&packet, || names.of(packet.sight.interface));
        }
        pipeline.packet(&packet);
    }
}

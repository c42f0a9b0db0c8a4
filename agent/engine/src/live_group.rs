//! Many live sources, read by one thread: each thread more has a stack, a heap and a turn at the processor of its own,
//! which for a hundred quiet sources would be most of what they cost.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::live::{Control, LiveReader, lock};
use crate::reader::ReadBatch;
use crate::source::live::Waker;

/// More sources than these are not looked at more often than this: what comes meanwhile is taken in one go. The
/// smallest ring is filled in that time by 100 MB a second.
const FEW: usize = 4;
const PAUSE: Duration = Duration::from_millis(5);
/// How much longer rows may wait for each source that there is: so many batches a second are made at most.
const FLUSH_EACH: Duration = Duration::from_millis(8);
/// How long they wait at most, however many sources there are.
const FLUSH_MOST: Duration = Duration::from_secs(1);

/// What the thread that reads is told.
pub enum Turn {
    /// Rows of a source.
    Batch(u64, Box<ReadBatch>),
    /// A source was told to stop, or has ended: it is read here no more, and what it still has is for another thread.
    Left(u64),
}

#[derive(Clone)]
struct Member {
    key: u64,
    reader: Arc<Mutex<LiveReader>>,
    control: Arc<Control>,
}

/// Live sources by the number that was given to each.
pub struct Group {
    waker: Waker,
    shared: Mutex<Shared>,
    round: Mutex<Round>,
}

#[derive(Default)]
struct Shared {
    members: Vec<Member>,
    changed: bool,
    closed: bool,
}

/// Where the reading thread is.
#[derive(Default)]
struct Round {
    members: Vec<Member>,
    /// Whose ring is looked after next.
    at: usize,
    polled: Option<Instant>,
}

struct Broken;

/// Does something with a source; a fault of the engine there ends this one, not the thread that reads the others.
fn guarded<T>(reader: &mut LiveReader, work: impl FnOnce(&mut LiveReader) -> T) -> Result<T, Broken> {
    catch_unwind(AssertUnwindSafe(|| work(reader))).map_err(|_| {
        reader.break_off();
        Broken
    })
}

impl Group {
    /// None yet.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { waker: Waker::new()?, shared: Mutex::default(), round: Mutex::default() })
    }

    /// Takes a source in.
    pub fn add(&self, key: u64, reader: Arc<Mutex<LiveReader>>) {
        let control = lock(&reader).control();
        let mut shared = lock(&self.shared);
        shared.members.push(Member { key, reader, control });
        shared.changed = true;
        drop(shared);
        self.waker.ring();
    }

    /// Ends reading; the sources stay as they are.
    pub fn close(&self) {
        lock(&self.shared).closed = true;
        self.waker.ring();
    }

    /// Waits until there is something to tell. None: it was closed.
    pub fn turn(&self) -> Option<Turn> {
        let mut round = lock(&self.round);
        loop {
            {
                let mut shared = lock(&self.shared);
                if shared.closed {
                    return None;
                }
                if std::mem::take(&mut shared.changed) {
                    round.members.clone_from(&shared.members);
                }
            }
            // All rings are looked after before each batch that is due: many come at once, and take their time.
            let (first, members) = (round.at, round.members.len());
            for at in (first..first + members).map(|at| at % members) {
                round.at = at + 1; // one that is full again and again keeps nobody waiting
                let member = &round.members[at];
                let mut reader = lock(&member.reader);
                if member.control.stops() || reader.has_ended() {
                    drop(reader);
                    return Some(self.leave(member.key));
                }
                match guarded(&mut reader, LiveReader::take_ready) {
                    Ok(None) => {}
                    Ok(Some(batch)) => return Some(Turn::Batch(member.key, Box::new(batch))),
                    Err(Broken) => return Some(self.leave(member.key)),
                }
            }
            let flush = (FLUSH_EACH * round.members.len() as u32).min(FLUSH_MOST);
            let next =
                round.members.iter().map(|member| (lock(&member.reader).due(flush), member)).min_by_key(|one| one.0);
            match next {
                Some((due, member)) if due <= Instant::now() => {
                    return Some(match guarded(&mut lock(&member.reader), LiveReader::give_due) {
                        Ok(batch) => Turn::Batch(member.key, Box::new(batch)),
                        Err(Broken) => self.leave(member.key),
                    });
                }
                _ => {
                    let due = next.map(|(due, _)| due);
                    let Round { members, polled, .. } = &mut *round;
                    self.wait(members, polled, due);
                }
            }
        }
    }

    fn leave(&self, key: u64) -> Turn {
        let mut shared = lock(&self.shared);
        shared.members.retain(|member| member.key != key);
        shared.changed = true;
        Turn::Left(key)
    }

    /// Until packets are there, a batch is due or another thread wants something.
    fn wait(&self, members: &[Member], polled: &mut Option<Instant>, due: Option<Instant>) {
        if let Some(last) = polled
            && members.len() > FEW
        {
            thread::sleep(PAUSE.saturating_sub(last.elapsed()));
        }
        let left = due.map(|due| due.saturating_duration_since(Instant::now()));
        let timeout = left.and_then(|left| Timespec::try_from(left).ok());
        let mut fds = vec![PollFd::new(&self.waker, PollFlags::IN)];
        for member in members {
            fds.extend(member.control.descriptors().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        }
        let ended = poll(&mut fds, timeout.as_ref());
        *polled = Some(Instant::now());
        if ended.is_err() {
            return; // a signal
        }
        if !fds[0].revents().is_empty() {
            self.waker.take();
        }
        for (member, told) in members.iter().zip(fds[1..].chunks_exact(2)) {
            if !told[1].revents().is_empty() || told[0].revents().contains(PollFlags::ERR) {
                lock(&member.reader).attend();
            }
        }
    }
}

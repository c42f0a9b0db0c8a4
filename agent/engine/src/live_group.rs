//! Many live sources, read by one thread: each thread more has a stack, a heap and a turn at the processor of its own,
//! which for a hundred quiet sources would be most of what they cost. Who may use several cores makes several groups.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
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
/// How much longer rows may wait for each source that a group and those beside it have: 25 batches a second are made
/// at most. To make, ship, name and join one costs as much as some hundred rows in it, most of that at the collector,
/// which takes those of all nodes.
const FLUSH_EACH: Duration = Duration::from_millis(40);
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
    /// How many this one and those beside it have.
    sources: Arc<AtomicUsize>,
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
    /// How many were since the last look for what is due.
    looked: usize,
    polled: Option<Instant>,
}

impl Round {
    /// Whose ring is looked after next. None: all were once, and it is the turn of a batch that is due: many come at
    /// once, and take their time, but one whose ring is full again and again must not keep them waiting.
    fn next(&mut self) -> Option<usize> {
        if self.looked >= self.members.len() {
            self.looked = 0;
            return None;
        }
        self.looked += 1;
        let at = self.at % self.members.len();
        self.at = at + 1;
        Some(at)
    }
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
        Self::sharing(Arc::default())
    }

    /// Another, for a thread of its own: the sources of both count for how long rows may wait.
    pub fn beside(&self) -> std::io::Result<Self> {
        Self::sharing(self.sources.clone())
    }

    fn sharing(sources: Arc<AtomicUsize>) -> std::io::Result<Self> {
        Ok(Self { waker: Waker::new()?, sources, shared: Mutex::default(), round: Mutex::default() })
    }

    /// Takes a source in.
    pub fn add(&self, key: u64, reader: Arc<Mutex<LiveReader>>) {
        let control = lock(&reader).control();
        let mut shared = lock(&self.shared);
        shared.members.push(Member { key, reader, control });
        shared.changed = true;
        self.sources.fetch_add(1, Ordering::Relaxed);
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
            while let Some(at) = round.next() {
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
            let flush = FLUSH_EACH.saturating_mul(self.sources.load(Ordering::Relaxed) as u32).min(FLUSH_MOST);
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
        let before = shared.members.len();
        shared.members.retain(|member| member.key != key);
        shared.changed = true;
        self.sources.fetch_sub(before - shared.members.len(), Ordering::Relaxed);
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

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;
    use crate::config::Config;
    use crate::gate::Wanted;
    use crate::source::live::{OpenError, Options};

    /// On the loopback interface; none, said why, without the right to capture.
    fn reader() -> Option<Arc<Mutex<LiveReader>>> {
        let options = Options {
            interface: Some("lo".into()),
            namespace: None,
            ring_bytes: 1 << 20,
            snap_length: 65_535,
            wanted: Wanted::default(),
        };
        match LiveReader::open(options, Config::default(), 16_384, Duration::from_millis(10), None, None) {
            Ok(reader) => Some(Arc::new(Mutex::new(reader))),
            Err(OpenError::Permission(what, _)) => {
                eprintln!("skipped: no right to {what}");
                None
            }
            Err(error) => panic!("{error:?}"),
        }
    }

    fn speak() {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.send_to(b"?", socket.local_addr().expect("bound")).expect("sent to ourselves");
    }

    #[test]
    fn all_rings_are_looked_after_once_between_two_batches_that_are_due() {
        let Some(reader) = reader() else { return };
        let control = lock(&reader).control();
        let member = |key| Member { key, reader: reader.clone(), control: control.clone() };
        let mut round = Round { members: (0..3).map(member).collect(), ..Round::default() };
        let looks = |round: &mut Round, count| (0..count).map(|_| round.next()).collect::<Vec<_>>();
        // a full ring gives its batch in the middle; what follows goes on behind it
        assert_eq!(looks(&mut round, 2), [Some(0), Some(1)]);
        assert_eq!(looks(&mut round, 4), [Some(2), None, Some(0), Some(1)]);
        round.members.truncate(1);
        assert_eq!(looks(&mut round, 3), [None, Some(0), None]);
        round.members.clear();
        assert_eq!(looks(&mut round, 2), [None, None]);
    }

    #[test]
    fn the_sources_of_groups_beside_each_other_count_for_all() {
        let (Some(one), Some(other)) = (reader(), reader()) else { return };
        let group = Group::new().expect("a waker");
        let beside = group.beside().expect("a waker");
        let counted = || [&group, &beside].map(|group| group.sources.load(Ordering::Relaxed));
        assert_eq!(counted(), [0, 0]);
        group.add(1, one);
        beside.add(2, other);
        assert_eq!(counted(), [2, 2]);
        beside.leave(2);
        beside.leave(2);
        assert_eq!(counted(), [1, 1]);
    }

    #[test]
    fn a_fault_at_one_source_ends_that_one_only() {
        let (Some(bad), Some(good)) = (reader(), reader()) else { return };
        lock(&bad).faulty = true;
        let group = Group::new().expect("a waker");
        group.add(1, bad.clone());
        group.add(2, good);
        speak();
        let mut packets = 0;
        let mut left = false;
        let end = Instant::now() + Duration::from_secs(30);
        while !left || packets == 0 {
            assert!(Instant::now() < end, "left: {left}, packets of the other: {packets}");
            match group.turn().expect("it is not closed") {
                Turn::Left(key) => {
                    assert_eq!((key, left), (1, false));
                    left = true;
                    speak();
                }
                Turn::Batch(2, batch) if left => packets += batch.packets,
                Turn::Batch(..) => {}
            }
        }
        assert!(lock(&bad).is_broken());
        assert!(lock(&bad).read().is_none());
    }
}

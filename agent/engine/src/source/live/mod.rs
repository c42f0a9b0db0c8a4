//! Live packets of one network namespace: a packet socket (packet(7)) with a ring shared with the kernel.

mod filter;
mod ring;
mod socket;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

pub use self::filter::{MAX_ENTRIES, Wanted};
pub use self::ring::HAND_OVER;
use self::ring::{Block, Frame, Ring};
use self::socket::Socket;
use super::input::describe;
use crate::packet::{LinkType, Nanos, Packet};

/// The longest frame that is taken, whole: twice what an interface delivers by default (64 KiB of GSO). The ring's
/// blocks have room for it.
pub const SNAP_LENGTH: u32 = 128 << 10;

/// What to tap, and how.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// One interface by name; `None`: all that are or come.
    pub interface: Option<String>,
    /// Path of the network namespace; `None`: our own.
    pub namespace: Option<PathBuf>,
    /// Size of the ring.
    pub ring_bytes: usize,
    /// Bytes of a frame that are taken.
    pub snap_length: u32,
    /// Which packets.
    pub wanted: Wanted,
}

/// Why a source can't be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// A capability is missing; what for.
    Permission(&'static str, String),
    /// No such interface or namespace.
    Missing(String),
    /// The system refuses.
    Failed(String),
}

impl OpenError {
    fn permission(capability: &'static str, what: String) -> Self {
        Self::Permission(capability, what)
    }

    fn failed(what: &str, error: &io::Error) -> Self {
        Self::Failed(format!("can't {what}: {}", describe(error)))
    }
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Permission(capability, what) => {
                write!(f, "not permitted to {what}: the capability {capability} is missing")
            }
            Self::Missing(text) | Self::Failed(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for OpenError {}

/// Which way a frame went, seen from the machine that captured it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FrameDirection {
    In,
    Out,
}

impl FrameDirection {
    fn of(address: &libc::sockaddr_ll) -> Self {
        if address.sll_pkttype == libc::PACKET_OUTGOING { Self::Out } else { Self::In }
    }
}

/// What the kernel says of the ring, since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RingCounters {
    /// Packets that passed the filter, also those that were dropped.
    pub packets: u64,
    /// Packets for which the ring had no room.
    pub drops: u64,
    /// Times that the ring was full.
    pub freezes: u64,
    /// Times that the interface was found gone or down.
    pub losses: u64,
}

/// Wakes a source that waits, from any thread.
#[derive(Clone)]
pub struct Waker(Arc<OwnedFd>);

impl Waker {
    /// Makes the wait end, now or when it next begins.
    pub fn wake(&self) {
        let _ = rustix::io::write(&*self.0, &1u64.to_ne_bytes()); // full: it is woken already
    }
}

/// What waiting for packets came to.
pub enum Wait<'a> {
    /// Packets.
    Packets(Packets<'a>),
    /// None came. All packets until then have been seen.
    Until(Nanos),
    /// The namespace is gone.
    Gone,
}

/// Live packets.
pub struct LiveSource {
    ring: Ring,
    socket: Socket,
    options: Options,
    bound: bool,
    waker: Waker,
    counters: RingCounters,
}

impl LiveSource {
    /// Opens it; packets are taken from then on.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        let socket = Socket::open(options.namespace.as_deref())?;
        let ring = Ring::new(&socket, options.ring_bytes)
            .map_err(|error| OpenError::failed(&format!("make a ring of {} bytes", options.ring_bytes), &error))?;
        socket
            .set_filter(&options.wanted, options.snap_length)
            .map_err(|error| OpenError::failed("set the packet filter", &error))?;
        let waker = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|error| OpenError::failed("make an event descriptor", &error.into()))?;
        let waker = Waker(Arc::new(waker));
        let mut source = Self { ring, socket, options, bound: false, waker, counters: RingCounters::default() };
        source.bind().map_err(|error| {
            let (name, at) = (source.options.interface.clone().unwrap_or_default(), source.place());
            match error.raw_os_error() {
                Some(libc::ENODEV) => OpenError::Missing(format!("there is no interface {name}{at}")),
                _ => OpenError::failed(&format!("listen on {name}{at}"), &error),
            }
        })?;
        Ok(source)
    }

    fn place(&self) -> String {
        self.options.namespace.as_ref().map_or_else(String::new, |path| format!(" in {}", path.display()))
    }

    fn bind(&mut self) -> io::Result<()> {
        let index = match &self.options.interface {
            Some(name) => self.socket.interface(name)?,
            None => 0,
        };
        self.socket.bind(index)?;
        self.bound = true;
        Ok(())
    }

    /// What wakes [`LiveSource::wait`].
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Sets which packets are taken, at once for all that follow.
    pub fn set_wanted(&mut self, wanted: Wanted) -> Result<(), OpenError> {
        self.socket
            .set_filter(&wanted, self.options.snap_length)
            .map_err(|error| OpenError::failed("set the packet filter", &error))?;
        self.options.wanted = wanted;
        Ok(())
    }

    /// Waits for packets, at most so long.
    pub fn wait(&mut self, at_most: Duration) -> Wait<'_> {
        if !self.ring.is_ready() {
            self.poll(at_most);
        }
        let quiet = now() - HAND_OVER.as_nanos() as Nanos;
        match self.ring.block() {
            Some(block) => Wait::Packets(Packets { block }),
            None if self.socket.is_orphaned() => Wait::Gone,
            None => Wait::Until(quiet),
        }
    }

    fn poll(&mut self, at_most: Duration) {
        let timeout = Timespec { tv_sec: at_most.as_secs().cast_signed(), tv_nsec: at_most.subsec_nanos().into() };
        let (waker, socket) = (self.waker.0.as_fd(), self.socket.as_fd());
        let mut fds = [PollFd::from_borrowed_fd(socket, PollFlags::IN), PollFd::from_borrowed_fd(waker, PollFlags::IN)];
        if poll(&mut fds, Some(&timeout)).is_err() {
            return; // a signal: the caller looks at it
        }
        let failed = fds[0].revents().contains(PollFlags::ERR);
        if !fds[1].revents().is_empty() {
            let _ = rustix::io::read(waker, &mut [0; 8]);
        }
        if failed && self.socket.take_error().is_err() {
            // It went down, and is heard again when it comes up; or it is gone, and another may come by its name.
            self.counters.losses += 1;
            self.bound = self.socket.is_bound();
        }
        if !self.bound {
            let _ = self.bind(); // not there yet
        }
    }

    /// The newest counters of the ring.
    pub fn counters(&mut self) -> RingCounters {
        if let Ok(new) = self.socket.take_statistics() {
            self.counters.packets += u64::from(new.tp_packets);
            self.counters.drops += u64::from(new.tp_drops);
            self.counters.freezes += u64::from(new.tp_freeze_q_cnt);
        }
        self.counters
    }
}

/// The packets of one block.
pub struct Packets<'a> {
    block: Block<'a>,
}

impl Packets<'_> {
    /// The next packet.
    #[allow(clippy::should_implement_trait, reason = "what it gives is lent")]
    #[inline]
    pub fn next(&mut self) -> Option<Packet<'_>> {
        self.block.frame().map(|frame| packet(&frame))
    }
}

#[inline]
fn packet<'a>(frame: &Frame<'a>) -> Packet<'a> {
    let (link, data) = match frame.hardware {
        libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => (LinkType::ETHERNET, frame.bytes),
        // Other links have headers of all kinds, or none; only IP passes the filter.
        _ => (LinkType::RAW, &frame.bytes[frame.network..]),
    };
    let _ = (frame.vlan, frame.direction);
    let dropped = (frame.bytes.len() - data.len()) as u32;
    Packet { time: frame.time, data, wire_len: frame.wire_len - dropped, link, interface: frame.interface as u32 }
}

fn now() -> Nanos {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as Nanos)
}

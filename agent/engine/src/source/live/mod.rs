//! Live packets of one network namespace: a packet socket (packet(7)) with a ring shared with the kernel.

mod filter;
mod ring;
mod socket;
mod waker;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

pub use self::filter::MAX_ENTRIES;
use self::ring::{Block, Frame, Ring};
use self::socket::Socket;
pub(crate) use self::waker::Waker;
use super::input::describe;
use crate::gate::Wanted;
use crate::packet::{LinkType, Nanos, Packet};

/// The longest frame that is taken, whole: twice what an interface delivers by default (64 KiB of GSO). Blocks of a small
/// ring have room for little less.
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

/// What waiting for packets came to.
pub enum Wait<'a> {
    /// Packets, and the names of their interfaces.
    Packets(Packets<'a>, Names<'a>),
    /// None came. All packets until then have been seen.
    Until(Nanos),
    /// The namespace is gone.
    Gone,
}

/// Live packets.
pub struct LiveSource {
    ring: Ring,
    socket: Arc<Socket>,
    waker: Arc<Waker>,
    interface: Option<String>,
    snap_length: u32,
    /// Since it was opened: packets that passed the filter, those of them that the ring had no room for, and how often
    /// it was full.
    packets: u64,
    drops: u64,
    freezes: u64,
    /// Times that the interface was found down or gone.
    interface_losses: u64,
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
        let waker = Waker::new().map_err(|error| OpenError::failed("make an event descriptor", &error))?;
        let source = Self {
            ring,
            socket: Arc::new(socket),
            waker: Arc::new(waker),
            interface: options.interface,
            snap_length: options.snap_length,
            packets: 0,
            drops: 0,
            freezes: 0,
            interface_losses: 0,
        };
        source.bind().map_err(|error| {
            let name = source.interface.as_deref().unwrap_or("all interfaces");
            let place = options.namespace.map_or_else(String::new, |path| format!(" in {}", path.display()));
            match error.raw_os_error() {
                Some(libc::ENODEV) => OpenError::Missing(format!("there is no interface {name}{place}")),
                _ => OpenError::failed(&format!("listen on {name}{place}"), &error),
            }
        })?;
        Ok(source)
    }

    fn bind(&self) -> io::Result<()> {
        let index = match &self.interface {
            Some(name) => self.socket.interface(name)?,
            None => 0,
        };
        self.socket.bind(index)
    }

    /// For other threads.
    pub fn switch(&self) -> Switch {
        Switch { socket: Arc::clone(&self.socket), waker: Arc::clone(&self.waker), snap_length: self.snap_length }
    }

    /// Waits for packets, at most so long.
    pub fn wait(&mut self, at_most: Duration) -> Wait<'_> {
        if !self.ring.is_ready() {
            self.poll(at_most);
        }
        let quiet = now() - self.ring.hand_over().as_nanos() as Nanos;
        match self.ring.block() {
            Some(block) => Wait::Packets(Packets { block }, Names(&self.socket)),
            None if self.socket.is_orphaned() => Wait::Gone,
            None => Wait::Until(quiet),
        }
    }

    /// Waits for packets or another thread, and sees to what else there is to tell.
    pub(crate) fn poll(&mut self, at_most: Duration) {
        let timeout = Timespec::try_from(at_most).ok(); // too long for it: no bound
        let mut fds = [PollFd::new(&*self.socket, PollFlags::IN), PollFd::new(&*self.waker, PollFlags::IN)];
        if poll(&mut fds, timeout.as_ref()).is_err() {
            return; // a signal: the caller looks at it
        }
        let failed = fds[0].revents().contains(PollFlags::ERR);
        if !fds[1].revents().is_empty() {
            self.waker.take();
        }
        if failed && self.socket.take_error().is_err() {
            self.interface_losses += 1; // it is heard again when it comes up
        }
        if self.interface.is_some() && !self.socket.is_bound() {
            let _ = self.bind(); // it is gone: another may come by its name
        }
    }

    /// Whether packets can be had without waiting.
    pub(crate) fn is_ready(&self) -> bool {
        self.ring.is_ready()
    }

    /// Takes no packets any more; those in the ring are still given.
    pub fn refuse(&self) {
        let _ = self.socket.refuse(); // then those that come after the last look are not seen, though counted
    }

    /// How old packets can be that are not there to be taken yet.
    pub(crate) fn hand_over(&self) -> Duration {
        self.ring.hand_over()
    }

    /// How many blocks of packets it holds at most.
    pub fn blocks(&self) -> usize {
        self.ring.blocks()
    }

    /// Its counters, as (stage, name, value).
    pub fn counters(&mut self) -> [(&'static str, &'static str, u64); 4] {
        if let Ok(new) = self.socket.take_statistics() {
            self.packets += u64::from(new.tp_packets);
            self.drops += u64::from(new.tp_drops);
            self.freezes += u64::from(new.tp_freeze_q_cnt);
        }
        [
            ("ring", "packets", self.packets),
            ("ring", "drops", self.drops),
            ("ring", "freezes", self.freezes),
            ("ring", "interface_losses", self.interface_losses),
        ]
    }
}

/// What other threads may do to a source.
pub struct Switch {
    socket: Arc<Socket>,
    waker: Arc<Waker>,
    snap_length: u32,
}

impl Switch {
    /// What to wait on: for packets, and for other threads.
    pub(crate) fn descriptors(&self) -> [BorrowedFd<'_>; 2] {
        [self.socket.as_fd(), self.waker.as_fd()]
    }

    /// Makes the wait end, now or when it next begins.
    pub fn wake(&self) {
        self.waker.ring();
    }

    /// Sets which packets are taken, at once for all that follow.
    pub fn set_filter(&self, wanted: &Wanted) -> Result<(), OpenError> {
        let set = self.socket.set_filter(wanted, self.snap_length);
        set.map_err(|error| OpenError::failed("set the packet filter", &error))
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

/// Names of interfaces by their index.
pub struct Names<'a>(&'a Socket);

impl Names<'_> {
    /// The name of one, if it is still there.
    pub fn of(&self, interface: u32) -> Option<String> {
        self.0.interface_name(interface.cast_signed()).ok()
    }
}

#[inline]
fn packet<'a>(frame: &Frame<'a>) -> Packet<'a> {
    let (link, data) = match frame.hardware {
        libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => (LinkType::ETHERNET, frame.bytes),
        // Other links have headers of all kinds, or none; only IP passes the filter.
        _ => (LinkType::RAW, &frame.bytes[frame.network..]),
    };
    let wire_len = frame.wire_len - (frame.bytes.len() - data.len()) as u32;
    Packet { time: frame.time, data, wire_len, link, sight: frame.sight, vlan: frame.vlan }
}

fn now() -> Nanos {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as Nanos)
}

//! The packet socket: opened in some network namespace, bound to one interface or to all.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::filter;
use super::{OpenError, SNAP_LENGTH};
use crate::gate::Wanted;
use crate::source::input::describe;

const ALL_PROTOCOLS: u16 = (libc::ETH_P_ALL as u16).to_be();

/// A packet socket. It stays in the namespace that it was opened in.
pub(super) struct Socket {
    fd: OwnedFd,
    namespace: Option<Namespace>,
}

/// A network namespace by its path.
struct Namespace {
    path: PathBuf,
    /// Device and inode: the same path may lead to another namespace later.
    identity: (u64, u64),
}

impl Socket {
    /// Opens it, bound to nothing yet. Only a thread of its own enters the namespace.
    pub(super) fn open(namespace: Option<&Path>) -> Result<Self, OpenError> {
        let Some(path) = namespace else { return Ok(Self { fd: packet_socket()?, namespace: None }) };
        let name = path.display();
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => OpenError::Missing(format!("there is no network namespace at {name}")),
            io::ErrorKind::PermissionDenied => OpenError::Permission("CAP_SYS_PTRACE", format!("look at {name}")),
            _ => OpenError::Failed(format!("{name} can't be opened: {}", describe(&error))),
        })?;
        let meta = file.metadata().map_err(|error| OpenError::failed("look at the namespace", &error))?;
        let identity = (meta.dev(), meta.ino());
        let enter_and_open = || {
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).map_err(|error| match error {
                rustix::io::Errno::PERM => OpenError::Permission("CAP_SYS_ADMIN", format!("enter {name}")),
                rustix::io::Errno::INVAL => OpenError::Missing(format!("{name} is no network namespace")),
                _ => OpenError::failed("enter the network namespace", &error.into()),
            })?;
            packet_socket()
        };
        let fd = thread::scope(|scope| {
            let thread = thread::Builder::new()
                .spawn_scoped(scope, enter_and_open)
                .map_err(|error| OpenError::failed("start a thread", &error))?;
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })?;
        Ok(Self { fd, namespace: Some(Namespace { path: path.to_path_buf(), identity }) })
    }

    /// Whether its namespace was taken away: the process is gone, or the name. The namespace itself lives on for as long
    /// as this socket is open.
    pub(super) fn is_orphaned(&self) -> bool {
        self.namespace.as_ref().is_some_and(|namespace| {
            let now = std::fs::metadata(&namespace.path).map(|meta| (meta.dev(), meta.ino()));
            now.ok() != Some(namespace.identity)
        })
    }

    /// Sets which packets are taken, at once for all that follow.
    pub(super) fn set_filter(&self, wanted: &Wanted, snap_length: u32) -> io::Result<()> {
        self.attach(filter::program(wanted, snap_length.min(SNAP_LENGTH)))
    }

    /// Takes no packets any more.
    pub(super) fn refuse(&self) -> io::Result<()> {
        self.attach(filter::nothing())
    }

    fn attach(&self, mut code: filter::Code) -> io::Result<()> {
        let program = libc::sock_fprog { len: code.len() as u16, filter: code.as_mut_ptr().cast() };
        self.set(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
    }

    /// Index of the interface of that name.
    pub(super) fn interface(&self, name: &str) -> io::Result<i32> {
        let mut request = request();
        if name.len() >= request.ifr_name.len() {
            return Err(io::Error::from_raw_os_error(libc::ENODEV));
        }
        for (to, &from) in request.ifr_name.iter_mut().zip(name.as_bytes()) {
            *to = from.cast_signed() as libc::c_char;
        }
        self.ioctl(libc::SIOCGIFINDEX, &mut request)?;
        // SAFETY: the request above fills this member.
        Ok(unsafe { request.ifr_ifru.ifru_ifindex })
    }

    /// Name of the interface of that index.
    pub(super) fn interface_name(&self, index: i32) -> io::Result<String> {
        let mut request = request();
        request.ifr_ifru.ifru_ifindex = index;
        self.ioctl(libc::SIOCGIFNAME, &mut request)?;
        let name: Vec<u8> = request.ifr_name.iter().map(|&c| c as u8).take_while(|&c| c != 0).collect();
        Ok(String::from_utf8_lossy(&name).into_owned())
    }

    /// Begins to receive from one interface, or from all (0).
    pub(super) fn bind(&self, interface: i32) -> io::Result<()> {
        // SAFETY: plain numbers, for which zero is a value.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = ALL_PROTOCOLS;
        address.sll_ifindex = interface;
        let length = size_of_val(&address) as libc::socklen_t;
        // SAFETY: the address is as long as said.
        check(unsafe { libc::bind(self.fd.as_raw_fd(), (&raw const address).cast(), length) })
    }

    /// Whether the interface that it was bound to is still there.
    pub(super) fn is_bound(&self) -> bool {
        // SAFETY: plain numbers, for which zero is a value.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        let mut length = size_of_val(&address) as libc::socklen_t;
        // SAFETY: the kernel writes at most the length that it is given.
        let result = unsafe { libc::getsockname(self.fd.as_raw_fd(), (&raw mut address).cast(), &raw mut length) };
        check(result).is_ok() && address.sll_ifindex >= 0
    }

    /// Takes the error that waits on the socket, if there is one.
    pub(super) fn take_error(&self) -> io::Result<()> {
        let code: i32 = self.get(libc::SOL_SOCKET, libc::SO_ERROR)?;
        if code == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(code)) }
    }

    /// Packets, drops and freezes since the last time that they were asked for.
    pub(super) fn take_statistics(&self) -> io::Result<libc::tpacket_stats_v3> {
        self.get(libc::SOL_PACKET, libc::PACKET_STATISTICS)
    }

    /// Sets an option.
    pub(super) fn set<T>(&self, level: i32, option: i32, value: &T) -> io::Result<()> {
        let length = size_of::<T>() as libc::socklen_t;
        // SAFETY: the value is as long as said.
        check(unsafe { libc::setsockopt(self.fd.as_raw_fd(), level, option, (&raw const *value).cast(), length) })
    }

    fn get<T>(&self, level: i32, option: i32) -> io::Result<T> {
        let mut value = std::mem::MaybeUninit::<T>::zeroed();
        let mut length = size_of::<T>() as libc::socklen_t;
        // SAFETY: the kernel writes at most the length that it is given.
        check(unsafe { libc::getsockopt(self.fd.as_raw_fd(), level, option, value.as_mut_ptr().cast(), &mut length) })?;
        // SAFETY: only used with types of plain numbers.
        Ok(unsafe { value.assume_init() })
    }

    fn ioctl(&self, code: libc::c_ulong, request: &mut libc::ifreq) -> io::Result<()> {
        // SAFETY: these calls read and write an ifreq.
        check(unsafe { libc::ioctl(self.fd.as_raw_fd(), code as _, &raw mut *request) })
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn packet_socket() -> Result<OwnedFd, OpenError> {
    // Protocol 0: nothing is received before it is bound, so that no packet passes before the filter is there.
    // SAFETY: no pointers are passed.
    let fd = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0) };
    if fd < 0 {
        let error = io::Error::last_os_error();
        return Err(match error.kind() {
            io::ErrorKind::PermissionDenied => OpenError::Permission("CAP_NET_RAW", "capture packets".to_string()),
            _ => OpenError::failed("open a packet socket", &error),
        });
    }
    // SAFETY: it was just opened and belongs to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn request() -> libc::ifreq {
    // SAFETY: plain numbers, for which zero is a value.
    unsafe { std::mem::zeroed() }
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

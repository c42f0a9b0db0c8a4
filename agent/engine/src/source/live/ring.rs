//! The ring that the kernel puts packets into (TPACKET_V3: Documentation/networking/packet_mmap.rst): memory shared
//! with it, in blocks that change hands.

use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use libc::{tpacket_block_desc, tpacket3_hdr};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use super::SNAP_LENGTH;
use super::socket::Socket;
use crate::packet::{Direction, Nanos, Sight};

/// Bytes of a block: room for the largest frame, few enough that handing them over one by one keeps the ring in use.
const BLOCK: usize = 256 << 10;
/// Of a small ring: it must have some, as a block that is handed over is full, however little is in it. The kernel cuts
/// frames that are larger; those of up to 64 KiB, as segments are put together, are not.
const SMALL_BLOCK: usize = 128 << 10;
/// Blocks that a ring has at least, unless that makes them small.
const BLOCKS: usize = 16;
/// Milliseconds after which the kernel hands a block over though it is not full.
const RETIRE_MS: u32 = 30;
/// Of a small ring: however little comes, its few blocks must last until a busy machine lets us take them.
const SMALL_RETIRE_MS: u32 = 150;

/// The ring of one socket. Must be dropped before it.
pub(super) struct Ring {
    memory: NonNull<u8>,
    blocks: usize,
    /// Bytes of a block.
    block: usize,
    /// The block that is handed over next.
    next: usize,
    retire_ms: u32,
}

// SAFETY: it is the only user of its memory on this side.
unsafe impl Send for Ring {}

impl Ring {
    /// How many blocks it has.
    pub(super) fn blocks(&self) -> usize {
        self.blocks
    }

    /// How old the packets in a block that was not handed over yet can be: two rounds of the kernel's timer, with room for
    /// a busy machine.
    pub(super) fn hand_over(&self) -> Duration {
        Duration::from_millis(3 * u64::from(self.retire_ms))
    }

    /// Sets up a ring of about so many bytes.
    pub(super) fn new(socket: &Socket, bytes: usize) -> io::Result<Self> {
        socket.set(libc::SOL_PACKET, libc::PACKET_VERSION, &(libc::tpacket_versions::TPACKET_V3 as libc::c_int))?;
        let small = bytes / BLOCK < BLOCKS;
        let (block, retire_ms) = if small { (SMALL_BLOCK, SMALL_RETIRE_MS) } else { (BLOCK, RETIRE_MS) };
        let blocks = (bytes / block).max(2);
        let request = libc::tpacket_req3 {
            tp_block_size: block as u32,
            tp_block_nr: blocks as u32,
            // Frames have no fixed size in this version; the kernel checks that these agree.
            tp_frame_size: block as u32,
            tp_frame_nr: blocks as u32,
            tp_retire_blk_tov: retire_ms,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        socket.set(libc::SOL_PACKET, libc::PACKET_RX_RING, &request)?;
        // SAFETY: a new mapping; of the socket's ring, which is as long.
        let memory = unsafe {
            mmap(std::ptr::null_mut(), blocks * block, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, socket, 0)?
        };
        let memory = NonNull::new(memory.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { memory, blocks, block, next: 0, retire_ms })
    }

    /// Whether the next block is ours.
    pub(super) fn is_ready(&self) -> bool {
        self.head().1.load(Ordering::Acquire) & libc::TP_STATUS_USER != 0
    }

    /// The next block, if the kernel has handed it over. It goes back to the kernel when it is dropped.
    pub(super) fn block(&mut self) -> Option<Block<'_>> {
        if !self.is_ready() {
            return None;
        }
        let (start, status) = self.head();
        self.next = (self.next + 1) % self.blocks;
        // SAFETY: the kernel does not touch a block that it has handed over.
        let header = unsafe { start.cast::<tpacket_block_desc>().as_ref().hdr.bh1 };
        Some(Block { start, size: self.block, status, left: header.num_pkts, at: header.offset_to_first_pkt as usize })
    }

    /// Where the next block begins, and its status.
    fn head<'a>(&self) -> (NonNull<u8>, &'a AtomicU32) {
        // SAFETY: within the mapping, which no block outlives; the kernel uses the status as an atomic too.
        unsafe {
            let start = self.memory.add(self.next * self.block);
            let desc = start.cast::<tpacket_block_desc>().as_ptr();
            (start, AtomicU32::from_ptr(&raw mut (*desc).hdr.bh1.block_status))
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`, and no block outlives the ring.
        let _ = unsafe { munmap(self.memory.as_ptr().cast(), self.blocks * self.block) };
    }
}

/// A block in our hands.
pub(super) struct Block<'a> {
    start: NonNull<u8>,
    /// Bytes of it.
    size: usize,
    status: &'a AtomicU32,
    left: u32,
    at: usize,
}

/// A frame in a block.
pub(super) struct Frame<'a> {
    pub(super) time: Nanos,
    /// From the link header on, without the VLAN tag that the kernel took off.
    pub(super) bytes: &'a [u8],
    /// Where the network header begins in `bytes`.
    pub(super) network: usize,
    /// On the wire, counted as `bytes` are.
    pub(super) wire_len: u32,
    /// Tag protocol and tag, if the kernel took one off.
    pub(super) vlan: Option<(u16, u16)>,
    /// ARPHRD_ number of the interface.
    pub(super) hardware: u16,
    pub(super) sight: Sight,
}

impl Block<'_> {
    /// The next frame.
    #[inline]
    pub(super) fn frame(&mut self) -> Option<Frame<'_>> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let at = self.at;
        let address_at = size_of::<tpacket3_hdr>().next_multiple_of(libc::TPACKET_ALIGNMENT);
        if at + address_at + size_of::<libc::sockaddr_ll>() > self.size {
            self.left = 0;
            return None;
        }
        // SAFETY: within the block, which is ours; both are plain numbers, aligned by the kernel.
        let (header, address) = unsafe {
            let header = self.start.add(at);
            (header.cast::<tpacket3_hdr>().as_ref(), header.add(address_at).cast::<libc::sockaddr_ll>().as_ref())
        };
        self.at = at + header.tp_next_offset as usize;
        let (from, len) = (at + usize::from(header.tp_mac), header.tp_snaplen as usize);
        if len > SNAP_LENGTH as usize || from + len > self.size {
            self.left = 0;
            return None;
        }
        // SAFETY: within the block, which is ours until it is dropped.
        let bytes = unsafe { std::slice::from_raw_parts(self.start.add(from).as_ptr(), len) };
        let vlan = (header.tp_status & libc::TP_STATUS_VLAN_VALID != 0).then(|| {
            let known = header.tp_status & libc::TP_STATUS_VLAN_TPID_VALID != 0;
            (if known { header.hv1.tp_vlan_tpid } else { 0x8100 }, header.hv1.tp_vlan_tci as u16)
        });
        Some(Frame {
            time: Nanos::from(header.tp_sec) * 1_000_000_000 + Nanos::from(header.tp_nsec),
            bytes,
            network: usize::from(header.tp_net.saturating_sub(header.tp_mac)).min(len),
            wire_len: header.tp_len.max(header.tp_snaplen),
            vlan,
            hardware: address.sll_hatype,
            sight: Sight {
                interface: address.sll_ifindex.cast_unsigned(),
                direction: match address.sll_pkttype {
                    libc::PACKET_OUTGOING => Direction::Out,
                    libc::PACKET_OTHERHOST => Direction::Unknown,
                    _ => Direction::In,
                },
            },
        })
    }
}

impl Drop for Block<'_> {
    fn drop(&mut self) {
        self.status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
    }
}

//! The allocator. Batches are large and short-lived: the system's would give their pages back and fault them in again
//! each time, which took a third of all time.

use libmimalloc_sys::{mi_option_set_default, mi_option_t};

/// `mi_option_purge_delay` of mimalloc 2 (mimalloc.h).
const PURGE_DELAY: mi_option_t = 15;
/// How long freed pages are kept, in ms: until the next batches are made, which a reader at full speed does many times
/// a second. mimalloc's own 10 ms gave most of them back before.
const KEPT_MS: std::ffi::c_long = 100;

#[cfg(feature = "python")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Sets it up; the environment (`MIMALLOC_PURGE_DELAY`) goes before.
pub fn set_up() {
    // SAFETY: it is a number of this version's options, and setting a default is safe at any time.
    unsafe { mi_option_set_default(PURGE_DELAY, KEPT_MS) };
}

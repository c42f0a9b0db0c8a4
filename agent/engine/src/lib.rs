//! The engine of tapper: packets in, Arrow columns of exchanges out.
//!
//! ```text
//! source -> decode -> flow -> protocol -> output -> batches
//! ```
//! Only the source touches the outside. Everything behind it is sans-IO, and time comes with the packets.

pub mod allocator;
pub mod annotation;
pub mod columns;
pub mod config;
pub mod conn;
pub mod content;
pub mod counters;
pub mod decode;
pub mod flow;
pub mod fragment;
pub mod gate;
pub mod id;
#[cfg(target_os = "linux")]
pub mod live;
#[cfg(target_os = "linux")]
pub mod live_group;
pub mod message;
pub mod output;
pub mod packet;
pub mod pairing;
pub mod pipeline;
pub mod protocol;
#[cfg(feature = "python")]
mod python;
pub mod reader;
pub mod record;
pub mod recording;
pub mod redact;
pub mod schema;
pub mod selection;
pub mod sightings;
pub mod source;
pub mod stream;

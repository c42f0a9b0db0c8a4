//! Connections made frame by frame, and the records that must come of them.

mod calls;
mod hostile;
mod loss;
mod requests;
pub(in crate::protocol) mod wire;

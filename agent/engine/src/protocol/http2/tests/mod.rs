//! Connections made frame by frame, and the records that must come of them.

mod calls;
pub(in crate::protocol) mod capture;
mod doubt;
mod encoder;
mod hostile;
mod loss;
mod properties;
mod records;
mod requests;
mod talk;
mod told;
pub(in crate::protocol) mod wire;

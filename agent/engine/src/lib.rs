//! x
pub mod decode;
pub mod fragment;
pub mod packet;
pub mod source;

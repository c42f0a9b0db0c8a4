//! stub
#![allow(missing_docs)]
#[derive(Default)]
pub struct ContentDecoder {}
pub struct Decoded { pub content_bytes: Option<u64>, pub cut: bool }
pub struct Undecodable;
impl ContentDecoder {
    pub fn decode(&mut self, _c: &[u8], _raw: &[u8], _whole: bool, _limit: usize, _max: u64, _out: &mut Vec<u8>) -> Result<Decoded, Undecodable> { Err(Undecodable) }
}

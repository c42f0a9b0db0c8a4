//! The arguments that all readers share.

use arrow_ipc::CompressionType;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;

use crate::config::Config;

/// What is kept of the records, and how it is packed.
pub(super) struct Settings {
    pub heads: bool,
    pub bodies: bool,
    pub body_limit: usize,
    pub redact: bool,
    pub redact_key: Option<Vec<u8>>,
    pub redact_names: Vec<String>,
    pub descriptors: Vec<Vec<u8>>,
    pub batch_rows: usize,
    pub compression: String,
}

impl Settings {
    /// Checks them; `origin` tells the ids of one reader's records from those of another.
    pub(super) fn check(self, origin: u64) -> PyResult<(Config, usize, Option<CompressionType>)> {
        if !(1..=1 << 20).contains(&self.batch_rows) {
            return wrong("batch_rows must be 1 to 1048576");
        }
        if self.body_limit > 16 << 20 {
            return wrong("body_limit must be at most 16 MiB");
        }
        let compression = match self.compression.as_str() {
            "lz4" => Some(CompressionType::LZ4_FRAME),
            "zstd" => Some(CompressionType::ZSTD),
            "none" => None,
            _ => return wrong("compression must be lz4, zstd or none"),
        };
        let redact_key = match self.redact_key.map(<[u8; 16]>::try_from) {
            _ if !self.redact => None,
            Some(Ok(key)) => Some(key),
            Some(Err(_)) => return wrong("redact_key must be 16 bytes"),
            None => Some(random()?),
        };
        let config = Config {
            heads: self.heads,
            body_limit: if self.bodies && self.heads { self.body_limit } else { 0 },
            redact_key,
            redact_names: self.redact_names,
            descriptors: self.descriptors,
            origin,
            ..Config::default()
        };
        Ok((config, self.batch_rows, compression))
    }
}

/// A ValueError.
pub(super) fn wrong<T>(message: &str) -> PyResult<T> {
    Err(PyValueError::new_err(message.to_string()))
}

/// Random bytes.
pub(super) fn random<const N: usize>() -> PyResult<[u8; N]> {
    let mut key = [0; N];
    getrandom::fill(&mut key).map_err(|e| PyException::new_err(format!("no random key: {e}")))?;
    Ok(key)
}

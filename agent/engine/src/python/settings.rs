//! The arguments that all readers share.

use arrow_ipc::CompressionType;
use pyo3::exceptions::{PyException, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::config::Config;

/// What is kept of the records, and how it is packed; the names and defaults of the keyword arguments.
pub(super) struct Settings {
    heads: bool,
    bodies: bool,
    body_limit: usize,
    redact: bool,
    redact_key: Option<Vec<u8>>,
    redact_names: Vec<String>,
    descriptors: Vec<Vec<u8>>,
    batch_rows: usize,
    compression: String,
}

impl Settings {
    /// Takes them from keyword arguments, all of which must be among them.
    pub(super) fn take(given: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut made = Self {
            heads: true,
            bodies: true,
            body_limit: 65536,
            redact: true,
            redact_key: None,
            redact_names: Vec::new(),
            descriptors: Vec::new(),
            batch_rows: 16384,
            compression: "zstd".to_string(),
        };
        for (name, value) in given.into_iter().flatten() {
            match name.extract::<&str>()? {
                "heads" => made.heads = value.extract()?,
                "bodies" => made.bodies = value.extract()?,
                "body_limit" => made.body_limit = value.extract()?,
                "redact" => made.redact = value.extract()?,
                "redact_key" => made.redact_key = value.extract()?,
                "redact_names" => made.redact_names = value.extract()?,
                "descriptors" => made.descriptors = value.extract()?,
                "batch_rows" => made.batch_rows = value.extract()?,
                "compression" => made.compression = value.extract()?,
                other => return Err(PyTypeError::new_err(format!("unexpected keyword argument {other:?}"))),
            }
        }
        Ok(made)
    }

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

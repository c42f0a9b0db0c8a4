//! Capture files for Python.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;

use super::arrow::Batch;
use super::settings::Settings;
use crate::reader::Reader;

/// Reads capture files one after another as one.
#[pyclass(frozen, module = "agent._engine")]
pub(super) struct FileReader {
    reader: Mutex<Reader>,
    stop: Arc<AtomicBool>,
}

#[pymethods]
impl FileReader {
    #[new]
    #[pyo3(signature = (paths, *, heads=true, bodies=true, body_limit=65536, redact=true, redact_key=None,
                        redact_names=Vec::new(), descriptors=Vec::new(), batch_rows=16384, compression="lz4"))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
    fn new(
        paths: Vec<String>,
        heads: bool,
        bodies: bool,
        body_limit: usize,
        redact: bool,
        redact_key: Option<Vec<u8>>,
        redact_names: Vec<String>,
        descriptors: Vec<Vec<u8>>,
        batch_rows: usize,
        compression: &str,
    ) -> PyResult<Self> {
        let compression = compression.to_string();
        let settings = Settings {
            heads,
            bodies,
            body_limit,
            redact,
            redact_key,
            redact_names,
            descriptors,
            batch_rows,
            compression,
        };
        let (config, batch_rows, compression) = settings.check(0)?;
        let reader = Mutex::new(Reader::new(paths, config, batch_rows, compression));
        Ok(Self { reader, stop: Arc::default() })
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        let result = py.detach(|| {
            let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
            reader.next(&self.stop)
        });
        match result {
            Ok(read) => read.map(|read| Batch::new(py, read)).transpose(),
            Err(error) => Err(super::capture_error(error)),
        }
    }

    fn close(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

//! Capture files for Python.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::arrow::Batch;
use super::settings::{Settings, wrong};
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
    #[pyo3(signature = (paths, *, batch_ns=None, **settings))]
    fn new(paths: Vec<String>, batch_ns: Option<i64>, settings: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let (config, batch_rows, compression) = Settings::take(settings)?.check(0)?;
        let mut reader = Reader::new(paths, config, batch_rows, compression);
        match batch_ns {
            Some(length @ 1..) => reader.set_span(length),
            Some(_) => return wrong("batch_ns must be at least 1"),
            None => {}
        }
        Ok(Self { reader: Mutex::new(reader), stop: Arc::default() })
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

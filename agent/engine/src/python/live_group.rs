//! Many live sources for one thread of Python.

use pyo3::prelude::*;

use super::arrow::Batch;
use super::live_reader::LiveReader;
use crate::live_group::{Group, Turn};

/// Live sources that one thread reads.
#[pyclass(frozen, module = "agent._engine")]
pub(super) struct LiveGroup(Group);

#[pymethods]
impl LiveGroup {
    #[new]
    fn new() -> PyResult<Self> {
        Ok(Self(Group::new()?))
    }

    fn beside(&self) -> PyResult<Self> {
        Ok(Self(self.0.beside()?))
    }

    fn add(&self, py: Python<'_>, key: u64, reader: &LiveReader) {
        let reader = reader.reader.clone();
        py.detach(|| self.0.add(key, reader));
    }

    fn close(&self) {
        self.0.close();
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<(u64, Option<Batch>)>> {
        match py.detach(|| self.0.turn()) {
            None => Ok(None),
            Some(Turn::Left(key)) => Ok(Some((key, None))),
            Some(Turn::Batch(key, batch)) => Ok(Some((key, Some(Batch::new(py, *batch)?)))),
        }
    }
}

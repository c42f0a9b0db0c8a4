//! Batches and schemas as Python sees them: Arrow's PyCapsule interface.

use arrow_array::{Array, StructArray};
use arrow_data::ffi::FFI_ArrowArray;
use arrow_schema::SchemaRef;
use arrow_schema::ffi::FFI_ArrowSchema;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyTuple};

use crate::reader::ReadBatch;

fn schema_capsule<'py>(py: Python<'py>, schema: &SchemaRef) -> PyResult<Bound<'py, PyCapsule>> {
    let ffi = FFI_ArrowSchema::try_from(schema.as_ref()).map_err(|e| PyValueError::new_err(e.to_string()))?;
    PyCapsule::new_with_value(py, ffi, c"arrow_schema")
}

/// An Arrow schema.
#[pyclass(frozen, module = "agent._engine")]
pub(super) struct Schema(pub(super) SchemaRef);

#[pymethods]
impl Schema {
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.0)
    }
}

/// Rows of one schema.
#[pyclass(frozen, module = "agent._engine")]
pub(super) struct RecordBatch(arrow_array::RecordBatch);

#[pymethods]
impl RecordBatch {
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.0.schema())
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        // A consumer must accept another schema than the one it asked for (Arrow PyCapsule Interface).
        drop(requested_schema);
        let schema = schema_capsule(py, &self.0.schema())?;
        let data = StructArray::from(self.0.clone()).to_data();
        let array = PyCapsule::new_with_value(py, FFI_ArrowArray::new(&data), c"arrow_array")?;
        PyTuple::new(py, [schema, array])
    }

    fn __len__(&self) -> usize {
        self.0.num_rows()
    }
}

/// What came out of the pipeline since the last one.
#[pyclass(frozen, get_all, module = "agent._engine")]
pub(super) struct Batch {
    exchanges: Option<Py<RecordBatch>>,
    payloads: Option<Py<PyBytes>>,
    messages: Option<Py<RecordBatch>>,
    message_payloads: Option<Py<PyBytes>>,
    connections: Option<Py<RecordBatch>>,
    counters: Option<Py<RecordBatch>>,
    position: u64,
    packets: u64,
    now: i64,
}

impl Batch {
    pub(super) fn new(py: Python<'_>, read: ReadBatch) -> PyResult<Self> {
        let batch = |batch: Option<arrow_array::RecordBatch>| batch.map(|b| Py::new(py, RecordBatch(b))).transpose();
        let bytes = |bytes: Option<Vec<u8>>| bytes.map(|b| PyBytes::new(py, &b).unbind());
        Ok(Self {
            exchanges: batch(read.batches.exchanges)?,
            payloads: bytes(read.payloads),
            messages: batch(read.batches.messages)?,
            message_payloads: bytes(read.message_payloads),
            connections: batch(read.batches.connections)?,
            counters: batch(Some(read.counters))?,
            position: read.position,
            packets: read.packets,
            now: read.now,
        })
    }
}

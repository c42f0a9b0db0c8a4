//! The door to Python; `agent/_engine.pyi` is its contract.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use arrow_array::{Array, StructArray};
use arrow_data::ffi::FFI_ArrowArray;
use arrow_ipc::CompressionType;
use arrow_schema::SchemaRef;
use arrow_schema::ffi::FFI_ArrowSchema;
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyTuple};

use crate::config::Config;
use crate::reader::{ReadBatch, Reader};
use crate::{pipeline, schema};

create_exception!(agent._engine, CaptureError, PyException);

fn schema_capsule<'py>(py: Python<'py>, schema: &SchemaRef) -> PyResult<Bound<'py, PyCapsule>> {
    let ffi = FFI_ArrowSchema::try_from(schema.as_ref()).map_err(|e| PyValueError::new_err(e.to_string()))?;
    PyCapsule::new_with_value(py, ffi, c"arrow_schema")
}

/// An Arrow schema.
#[pyclass(frozen, module = "agent._engine")]
struct Schema(SchemaRef);

#[pymethods]
impl Schema {
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.0)
    }
}

/// Rows of one schema.
#[pyclass(frozen, module = "agent._engine")]
struct RecordBatch(arrow_array::RecordBatch);

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
struct Batch {
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
    fn new(py: Python<'_>, read: ReadBatch) -> PyResult<Self> {
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

/// Reads capture files one after another as one.
#[pyclass(frozen, module = "agent._engine")]
struct FileReader {
    reader: Mutex<Reader>,
    stop: Arc<AtomicBool>,
}

#[pymethods]
impl FileReader {
    #[new]
    #[pyo3(signature = (paths, *, heads=true, bodies=true, body_limit=65536, redact=true, redact_key=None,
                        redact_names=Vec::new(), batch_rows=16384, compression="lz4"))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
    fn new(
        paths: Vec<String>,
        heads: bool,
        bodies: bool,
        body_limit: usize,
        redact: bool,
        redact_key: Option<Vec<u8>>,
        redact_names: Vec<String>,
        batch_rows: usize,
        compression: &str,
    ) -> PyResult<Self> {
        let wrong = |message: &str| Err(PyValueError::new_err(message.to_string()));
        if !(1..=1 << 20).contains(&batch_rows) {
            return wrong("batch_rows must be 1 to 1048576");
        }
        if body_limit > 16 << 20 {
            return wrong("body_limit must be at most 16 MiB");
        }
        let compression = match compression {
            "lz4" => Some(CompressionType::LZ4_FRAME),
            "zstd" => Some(CompressionType::ZSTD),
            "none" => None,
            _ => return wrong("compression must be lz4, zstd or none"),
        };
        let redact_key = match redact_key.map(<[u8; 16]>::try_from) {
            _ if !redact => None,
            Some(Ok(key)) => Some(key),
            Some(Err(_)) => return wrong("redact_key must be 16 bytes"),
            None => Some(random_key()?),
        };
        let config = Config {
            heads,
            body_limit: if bodies && heads { body_limit } else { 0 },
            redact_key,
            redact_names,
            ..Config::default()
        };
        let reader = Mutex::new(Reader::new(paths, config, batch_rows, compression));
        Ok(Self { reader, stop: Arc::default() })
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        let result = py.detach(|| {
            let mut reader = self.reader.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            reader.next(&self.stop)
        });
        match result {
            Ok(read) => read.map(|read| Batch::new(py, read)).transpose(),
            Err(error) => Err(CaptureError::new_err((error.to_string(), error.path, error.offset))),
        }
    }

    fn close(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn random_key() -> PyResult<[u8; 16]> {
    let mut key = [0; 16];
    getrandom::fill(&mut key).map_err(|e| PyException::new_err(format!("no random key: {e}")))?;
    Ok(key)
}

#[pyfunction]
fn schemas() -> HashMap<&'static str, Schema> {
    schema::all().into_iter().map(|(name, schema)| (name, Schema(schema))).collect()
}

#[pyfunction]
fn payload_schema_message<'py>(py: Python<'py>, kind: &str) -> PyResult<Bound<'py, PyBytes>> {
    let schema = match kind {
        "payload" => &*schema::PAYLOAD,
        "message_payload" => &*schema::MESSAGE_PAYLOAD,
        _ => return Err(PyValueError::new_err("kind must be payload or message_payload")),
    };
    Ok(PyBytes::new(py, &pipeline::schema_message(schema)))
}

#[pymodule]
fn _engine(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("SCHEMA_VERSION", schema::VERSION)?;
    module.add("CaptureError", module.py().get_type::<CaptureError>())?;
    module.add_class::<Schema>()?;
    module.add_class::<RecordBatch>()?;
    module.add_class::<Batch>()?;
    module.add_class::<FileReader>()?;
    module.add_function(wrap_pyfunction!(schemas, module)?)?;
    module.add_function(wrap_pyfunction!(payload_schema_message, module)?)?;
    Ok(())
}

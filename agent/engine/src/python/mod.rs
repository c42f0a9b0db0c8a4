//! The door to Python; `agent/_engine.pyi` is its contract.

mod annotate;
mod arrow;
mod file_reader;
#[cfg(target_os = "linux")]
mod live_group;
#[cfg(target_os = "linux")]
mod live_reader;
mod packets;
mod settings;

use std::collections::HashMap;

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::{pipeline, schema};

create_exception!(agent._engine, CaptureError, PyException);

fn capture_error(error: crate::source::CaptureError) -> PyErr {
    CaptureError::new_err((error.to_string(), error.path, error.offset))
}

#[pyfunction]
fn schemas() -> HashMap<&'static str, arrow::Schema> {
    schema::all().into_iter().map(|(name, schema)| (name, arrow::Schema(schema))).collect()
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
    crate::allocator::set_up();
    module.add("SCHEMA_VERSION", schema::VERSION)?;
    module.add("CaptureError", module.py().get_type::<CaptureError>())?;
    module.add_class::<arrow::Schema>()?;
    module.add_class::<arrow::RecordBatch>()?;
    module.add_class::<arrow::Batch>()?;
    module.add_class::<file_reader::FileReader>()?;
    #[cfg(target_os = "linux")]
    module.add_class::<live_reader::LiveReader>()?;
    #[cfg(target_os = "linux")]
    module.add_class::<live_group::LiveGroup>()?;
    module.add_function(wrap_pyfunction!(packets::packets, module)?)?;
    module.add_function(wrap_pyfunction!(annotate::annotate, module)?)?;
    module.add_function(wrap_pyfunction!(schemas, module)?)?;
    module.add_function(wrap_pyfunction!(payload_schema_message, module)?)?;
    Ok(())
}

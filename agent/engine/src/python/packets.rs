//! The packets of one connection out of capture files, for Python.

use std::net::{IpAddr, SocketAddr};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::selection::{Selection, select};

/// `(pcapng, packets, packets left out)`.
#[pyfunction]
#[pyo3(signature = (paths, *, ends, start, end, max_bytes=16 << 20))]
pub(super) fn packets<'py>(
    py: Python<'py>,
    paths: Vec<String>,
    ends: [(String, u16); 2],
    start: i64,
    end: i64,
    max_bytes: u64,
) -> PyResult<(Bound<'py, PyBytes>, u64, u64)> {
    let [one, other] = ends.map(|(ip, port)| match ip.parse::<IpAddr>() {
        Ok(ip) => Ok(SocketAddr::new(ip.to_canonical(), port)),
        Err(_) => Err(PyValueError::new_err(format!("{ip:?} is no IP address"))),
    });
    let selection = Selection { ends: [one?, other?], start, end, bytes: max_bytes };
    let mut interrupted = None;
    let selected = py.detach(|| {
        select(&paths, &selection, || {
            interrupted = Python::attach(|py| py.check_signals()).err();
            interrupted.is_none()
        })
    });
    match (interrupted, selected) {
        (Some(signal), _) => Err(signal),
        (None, Ok(found)) => Ok((PyBytes::new(py, &found.pcapng), found.packets, found.left_out)),
        (None, Err(error)) => Err(super::capture_error(error)),
    }
}

//! Recordings with names and comments, for Python.

use std::net::IpAddr;
use std::path::PathBuf;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::annotation::{self, Annotations};

/// `(packets, packets with a comment)`.
#[pyfunction]
#[pyo3(signature = (paths, to, *, comment="".to_string(), names=Vec::new(), comments=Vec::new()))]
pub(super) fn annotate(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    to: PathBuf,
    comment: String,
    names: Vec<(String, String)>,
    comments: Vec<(i64, String)>,
) -> PyResult<(u64, u64)> {
    let address = |(ip, name): (String, String)| match ip.parse::<IpAddr>() {
        Ok(ip) => Ok((ip.to_canonical(), name)),
        Err(_) => Err(PyValueError::new_err(format!("{ip:?} is no IP address"))),
    };
    let names = names.into_iter().map(address).collect::<PyResult<_>>()?;
    let mut what = Annotations { comment, names, ..Annotations::default() };
    for (time, text) in comments {
        let known = what.comments.entry(time).or_default();
        if !known.is_empty() {
            known.push_str("; ");
        }
        known.push_str(&text);
    }
    let mut interrupted = None;
    let written = py.detach(|| {
        annotation::annotate(&paths, &to, &what, || {
            interrupted = Python::attach(|py| py.check_signals()).err();
            interrupted.is_none()
        })
    });
    match interrupted {
        Some(signal) => Err(signal),
        None => Ok(written?),
    }
}

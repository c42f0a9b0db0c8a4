//! Live packets for Python.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyo3::exceptions::{PyPermissionError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::CaptureError;
use super::arrow::Batch;
use super::settings::{Settings, random, wrong};
use crate::gate::Wanted;
use crate::live;
use crate::recording::Bounds;
use crate::source::live::{MAX_ENTRIES, OpenError, Options, SNAP_LENGTH};

/// Bytes of a recording's file: room for the largest frames.
const MIN_RECORDING: u64 = 1 << 20;

/// Live packets of one network namespace.
#[pyclass(frozen, module = "agent._engine")]
pub(super) struct LiveReader {
    pub(super) reader: Arc<Mutex<live::LiveReader>>,
    control: Arc<live::Control>,
}

#[pymethods]
impl LiveReader {
    #[new]
    #[pyo3(signature = (*, interface=None, netns=None, exclude=Vec::new(), ports=Vec::new(), ring_bytes=8 << 20,
                        snap_length=SNAP_LENGTH, flush_ms=250, origin=None, record=None, record_bytes=1 << 30,
                        record_files=1, **settings))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
    fn new(
        py: Python<'_>,
        interface: Option<String>,
        netns: Option<PathBuf>,
        exclude: Vec<(String, u16)>,
        ports: Vec<u16>,
        ring_bytes: usize,
        snap_length: u32,
        flush_ms: u64,
        origin: Option<u64>,
        record: Option<PathBuf>,
        record_bytes: u64,
        record_files: usize,
        settings: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        if !(512 << 10..=1 << 30).contains(&ring_bytes) {
            return wrong("ring_bytes must be 512 KiB to 1 GiB");
        }
        if !(64..=SNAP_LENGTH).contains(&snap_length) {
            return wrong("snap_length must be 64 to 131072");
        }
        if !(10..=10_000).contains(&flush_ms) {
            return wrong("flush_ms must be 10 to 10000");
        }
        if record_files == 0 || record_bytes / (record_files as u64) < MIN_RECORDING {
            return wrong("record_files must be at least 1, with 1 MiB of record_bytes for each");
        }
        let origin = match origin {
            Some(origin) => origin,
            None => u64::from_ne_bytes(random()?),
        };
        let (config, batch_rows, compression) = Settings::take(settings)?.check(origin)?;
        let wanted = wanted(exclude, ports)?;
        let options = Options { interface, namespace: netns, ring_bytes, snap_length, wanted };
        let record = record.map(|path| Bounds { path, bytes: record_bytes, files: record_files });
        let flush = Duration::from_millis(flush_ms);
        let reader = py
            .detach(|| live::LiveReader::open(options, config, batch_rows, flush, compression, record))
            .map_err(refusal)?;
        Ok(Self { control: reader.control(), reader: Arc::new(Mutex::new(reader)) })
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        let (read, broken) = py.detach(|| {
            let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
            (reader.read(), reader.is_broken())
        });
        if broken {
            let message = "the engine failed at what it read there; what it printed belongs into a bug report";
            return Err(CaptureError::new_err((message, None::<String>, None::<u64>)));
        }
        read.map(|read| Batch::new(py, read)).transpose()
    }

    fn close(&self) {
        self.control.stop();
    }

    #[pyo3(signature = (*, bodies=false, keep_one_in=1))]
    fn shed(&self, bodies: bool, keep_one_in: u32) -> PyResult<()> {
        if keep_one_in == 0 {
            return wrong("keep_one_in must be at least 1");
        }
        self.control.shed(bodies, keep_one_in);
        Ok(())
    }

    #[pyo3(signature = (*, exclude=Vec::new(), ports=Vec::new()))]
    fn set_filter(&self, exclude: Vec<(String, u16)>, ports: Vec<u16>) -> PyResult<()> {
        self.control.set_wanted(wanted(exclude, ports)?).map_err(refusal)
    }

    #[getter]
    fn recording_problem(&self) -> Option<String> {
        self.control.recording_problem()
    }
}

fn wanted(exclude: Vec<(String, u16)>, ports: Vec<u16>) -> PyResult<Wanted> {
    if exclude.len() > MAX_ENTRIES || ports.len() > MAX_ENTRIES {
        return wrong("exclude and ports may have 64 entries each");
    }
    let end = |(ip, port): (String, u16)| match ip.parse::<IpAddr>() {
        Ok(ip) => Ok(SocketAddr::new(ip.to_canonical(), port)),
        Err(_) => Err(PyValueError::new_err(format!("exclude: {ip:?} is no IP address"))),
    };
    Ok(Wanted { exclude: exclude.into_iter().map(end).collect::<PyResult<_>>()?, ports })
}

fn refusal(error: OpenError) -> PyErr {
    let message = error.to_string();
    match error {
        OpenError::Permission(..) => PyPermissionError::new_err(message),
        OpenError::Missing(_) | OpenError::Failed(_) => CaptureError::new_err((message, None::<String>, None::<u64>)),
    }
}

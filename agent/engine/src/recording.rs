//! The raw packets of a tap in files of bounded size.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::packet::Packet;
use crate::record::PcapngWriter;

/// Where packets are written, and how many of them.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// The file; with several files, `-1`, `-2` ... are put behind its stem.
    pub path: PathBuf,
    /// Bytes of all files together.
    pub bytes: u64,
    /// Number of files: with one, writing stops when it is full; with more, the oldest makes room.
    pub files: usize,
}

/// Writes packets.
pub struct Recording {
    bounds: Bounds,
    writer: Option<PcapngWriter<BufWriter<File>>>,
    /// Those there are, the oldest first.
    paths: VecDeque<PathBuf>,
    number: u64,
    packets: u64,
    bytes: u64,
    dropped: u64,
    problem: Option<String>,
}

impl Recording {
    /// Creates the (first) file; only its owner may read it, for it holds secrets as they were sent.
    pub fn create(bounds: Bounds) -> io::Result<Self> {
        let mut recording = Self {
            bounds,
            writer: None,
            paths: VecDeque::new(),
            number: 0,
            packets: 0,
            bytes: 0,
            dropped: 0,
            problem: None,
        };
        recording.next_file()?;
        Ok(recording)
    }

    fn next_file(&mut self) -> io::Result<()> {
        if let Some(mut full) = self.writer.take() {
            full.flush()?;
        }
        while self.paths.len() >= self.bounds.files {
            if let Some(oldest) = self.paths.pop_front() {
                std::fs::remove_file(oldest)?;
            }
        }
        self.number += 1;
        let path =
            if self.bounds.files == 1 { self.bounds.path.clone() } else { numbered(&self.bounds.path, self.number) };
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        self.paths.push_back(path);
        self.writer = Some(PcapngWriter::new(BufWriter::with_capacity(256 << 10, file))?);
        Ok(())
    }

    /// Writes a packet, or counts it as dropped.
    pub fn packet(&mut self, packet: &Packet<'_>, name: impl FnOnce() -> Option<String>) {
        match self.write(packet, name) {
            Ok(0) => self.dropped += 1,
            Ok(bytes) => {
                self.packets += 1;
                self.bytes += bytes;
            }
            Err(error) => {
                let path = self.paths.back().unwrap_or(&self.bounds.path).display();
                self.problem = Some(format!("{path} can't be written any more: {error}"));
                self.writer = None;
                self.dropped += 1;
            }
        }
    }

    fn write(&mut self, packet: &Packet<'_>, name: impl FnOnce() -> Option<String>) -> io::Result<u64> {
        let limit = self.bounds.bytes / self.bounds.files as u64;
        let is_full = |writer: &PcapngWriter<_>| writer.written() + PcapngWriter::<File>::size(packet) > limit;
        if self.writer.as_ref().is_some_and(is_full) {
            if self.bounds.files == 1 {
                return Ok(0);
            }
            self.next_file()?;
        }
        let Some(writer) = &mut self.writer else { return Ok(0) };
        let before = writer.written();
        writer.packet(packet, name)?;
        Ok(writer.written() - before)
    }

    /// Lets others see what was written.
    pub fn flush(&mut self) {
        if let Some(Err(error)) = self.writer.as_mut().map(PcapngWriter::flush) {
            self.problem = Some(format!("{} can't be written any more: {error}", self.bounds.path.display()));
            self.writer = None;
        }
    }

    /// Why nothing is written any more.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// What was written, as (stage, name, value).
    pub fn counters(&self) -> [(&'static str, &'static str, u64); 3] {
        [
            ("recording", "packets", self.packets),
            ("recording", "bytes", self.bytes),
            ("recording", "dropped", self.dropped),
        ]
    }
}

/// `a/b.pcapng` -> `a/b-1.pcapng`.
fn numbered(path: &Path, number: u64) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_os_string();
    name.push(format!("-{number}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

//! Capture files: pcap and pcapng, plain or compressed with gzip or zstd, from a file or a pipe.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use super::input::{Fill, Input, describe};
use super::pcap::{self, Pcap};
use super::pcapng::Pcapng;
use super::{CaptureError, Fault, Next, Step};
use crate::packet::{Addr, Packet};

/// Packets from one capture file.
pub struct FileSource {
    path: String,
    input: Input,
    format: Format,
}

enum Format {
    Unknown,
    Pcap(Pcap),
    Pcapng(Box<Pcapng>),
    /// The end or a fault was told.
    Over,
}

impl FileSource {
    /// Opens a file; "-" is standard input. What is in it is looked at by the first [`FileSource::next`], so that
    /// opening a pipe that nobody writes to yet does not block.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CaptureError> {
        let path = path.as_ref();
        let name = path.to_string_lossy().into_owned();
        let open = || {
            let file = if name == "-" {
                File::from(rustix::stdio::stdin().try_clone_to_owned()?)
            } else {
                let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
                OpenOptions::new().read(true).custom_flags(flags).open(path)?
            };
            let kind = file.metadata()?.file_type();
            if kind.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok((file, kind.is_file())) }
        };
        match open() {
            Ok((file, regular)) => Ok(Self { path: name, input: Input::file(file, regular), format: Format::Unknown }),
            Err(error) => {
                let message = format!("can't be opened: {}", describe(&error));
                Err(CaptureError { path: name, offset: None, message })
            }
        }
    }

    /// Reads a capture from anything that can be read; `name` stands for its path in errors. A reader that says
    /// `WouldBlock` gives [`Next::Idle`].
    pub fn from_reader(name: &str, reader: impl Read + Send + 'static) -> Self {
        Self { path: name.to_string(), input: Input::reader(Box::new(reader)), format: Format::Unknown }
    }

    /// Reads a capture from the end of a pipe; `name` stands for its path in errors.
    pub fn from_pipe(name: &str, pipe: impl Into<OwnedFd>) -> Self {
        let input = Input::file(File::from(pipe.into()), false);
        Self { path: name.to_string(), input, format: Format::Unknown }
    }

    /// How long to wait on a pipe before [`Next::Idle`]; 250 ms unless set.
    pub fn set_idle(&mut self, wait: Duration) {
        self.input.set_idle(wait);
    }

    /// Bytes read so far, as they are stored (compressed).
    pub fn position(&self) -> u64 {
        self.input.position()
    }

    /// Bytes of memory that it holds for what it has read.
    pub fn memory(&self) -> usize {
        self.input.memory()
    }

    /// Takes the names of addresses that the capture brought along (pcapng name resolution blocks).
    pub fn take_names(&mut self) -> Vec<(Addr, String)> {
        match &mut self.format {
            Format::Pcapng(pcapng) => std::mem::take(&mut pcapng.names),
            _ => Vec::new(),
        }
    }

    /// The next packet. An error is told once, after all packets before it; then the source is at its end.
    #[allow(clippy::should_implement_trait, reason = "what it gives is lent")]
    #[inline]
    pub fn next(&mut self) -> Result<Next<'_>, CaptureError> {
        match self.step() {
            Ok(Step::Packet(found)) => Ok(Next::Packet(Packet {
                time: found.time,
                data: self.input.at(found.at, found.len),
                wire_len: found.wire_len,
                link: found.link,
                sight: found.sight,
                vlan: None,
            })),
            Ok(Step::Idle) => Ok(Next::Idle),
            Ok(Step::End) => Ok(Next::End),
            Err(fault) => {
                self.format = Format::Over;
                Err(CaptureError { path: self.path.clone(), offset: fault.offset, message: fault.message })
            }
        }
    }

    #[inline]
    fn step(&mut self) -> Result<Step, Fault> {
        loop {
            match &mut self.format {
                Format::Pcap(pcap) => return pcap.next(&mut self.input),
                Format::Pcapng(pcapng) => return pcapng.next(&mut self.input),
                Format::Over => return Ok(Step::End),
                Format::Unknown => match self.input.fill(pcap::HEADER)? {
                    Fill::Idle => return Ok(Step::Idle),
                    Fill::Ready | Fill::End => self.format = self.recognise()?,
                },
            }
        }
    }

    fn recognise(&mut self) -> Result<Format, Fault> {
        let head = self.input.bytes();
        if head.is_empty() {
            return Err(Fault::new("is empty, not a capture"));
        }
        if head.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
            return Ok(Format::Pcapng(Box::default()));
        }
        if let Some(pcap) = Pcap::new(head) {
            self.input.consume(pcap::HEADER);
            return Ok(Format::Pcap(pcap));
        }
        if PCAP_MAGICS.iter().any(|magic| head.starts_with(magic)) {
            return Err(Fault::cut_off(0, "the pcap header is not whole"));
        }
        if let Some((_, name)) = KNOWN.iter().find(|(magic, _)| head.starts_with(magic)) {
            return Err(Fault::new(format!("is no pcap or pcapng capture but {name}")));
        }
        let begin = show(&head[..head.len().min(16)]);
        Err(Fault::new(format!("is no capture: it begins with {begin}, not a pcap or pcapng header")))
    }
}

const PCAP_MAGICS: [[u8; 4]; 4] =
    [[0xa1, 0xb2, 0xc3, 0xd4], [0xd4, 0xc3, 0xb2, 0xa1], [0xa1, 0xb2, 0x3c, 0x4d], [0x4d, 0x3c, 0xb2, 0xa1]];

/// What people take for a capture, or keep one in, and what to do with it.
const KNOWN: &[(&[u8], &str)] = &[
    (&[0xfd, b'7', b'z', b'X', b'Z'], "xz-compressed: unpack it first"),
    (b"BZh", "bzip2-compressed: unpack it first"),
    (&[0x04, 0x22, 0x4d, 0x18], "lz4-compressed: unpack it first"),
    (b"PK\x03\x04", "a zip archive: unpack it first"),
    (b"snoop\0\0\0", "a snoop capture: convert it first (editcap)"),
];

/// The first bytes of a file for a person: as text if they are, else in hexadecimal.
fn show(bytes: &[u8]) -> String {
    let line = bytes.split(|&byte| byte == b'\n' || byte == b'\r').next().unwrap_or_default();
    if !line.is_empty() && line.iter().all(|byte| (b' '..=b'~').contains(byte)) {
        format!("{:?}", String::from_utf8_lossy(line))
    } else {
        let hex: Vec<String> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("the bytes {}", hex.join(" "))
    }
}

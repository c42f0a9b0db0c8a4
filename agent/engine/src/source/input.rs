//! The bytes of a capture: read in big blocks from a file, a pipe or memory, unpacked on the way if they are compressed.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::time::Duration;

use flate2::bufread::MultiGzDecoder;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Fault;

/// Bytes asked for at a time: enough to make the system call cheap, little enough to stay in the processor's cache.
const BLOCK: usize = 256 << 10;

/// Bytes unpacked at a time: what is unpacked in the same step before damage is found is lost with it.
const UNPACK: usize = 16 << 10;

/// How long a pipe is waited for by default before [`Fill::Idle`].
const IDLE: Duration = Duration::from_millis(250);

/// How filling the buffer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fill {
    /// What was asked for is there.
    Ready,
    /// A pipe had nothing for a while.
    Idle,
    /// The input ends before.
    End,
}

/// A window over the uncompressed bytes, moved on by [`Input::consume`].
pub(super) struct Input {
    reader: Reader,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
}

impl Input {
    pub(super) fn file(file: File, regular: bool) -> Self {
        let idle = if regular { None } else { Some(IDLE) };
        Self::new(Raw { origin: Origin::File { file, idle }, head: Vec::new(), served: 0, count: 0 })
    }

    pub(super) fn reader(reader: Box<dyn Read + Send>) -> Self {
        Self::new(Raw { origin: Origin::Reader(reader), head: Vec::new(), served: 0, count: 0 })
    }

    fn new(raw: Raw) -> Self {
        Self { reader: Reader::Unknown(Some(raw)), buffer: vec![0; BLOCK], start: 0, end: 0, offset: 0 }
    }

    pub(super) fn set_idle(&mut self, wait: Duration) {
        if let Some(Raw { origin: Origin::File { idle: Some(idle), .. }, .. }) = self.reader.raw_mut() {
            *idle = wait;
        }
    }

    /// Bytes read so far, as they are stored.
    pub(super) fn position(&self) -> u64 {
        self.reader.raw().map_or(0, |raw| raw.count)
    }

    pub(super) fn memory(&self) -> usize {
        self.buffer.len()
    }

    /// Where the window begins in the uncompressed capture.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// What is in the window now.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Moves the window on by `n` of its bytes and says where they are, for [`Input::at`].
    #[inline]
    pub(super) fn consume(&mut self, n: usize) -> usize {
        let at = self.start;
        self.start += n;
        self.offset += n as u64;
        debug_assert!(self.start <= self.end);
        at
    }

    /// Consumed bytes, valid until the window is filled again.
    #[inline]
    pub(super) fn at(&self, at: usize, len: usize) -> &[u8] {
        &self.buffer[at..at + len]
    }

    /// Reads until the window holds `need` bytes. The buffer grows as bytes arrive, never on the word of a length.
    #[cold]
    pub(super) fn fill(&mut self, need: usize) -> Result<Fill, Fault> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        while self.end < need {
            if self.end == self.buffer.len() {
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => return Ok(Fill::End),
                Ok(n) => self.end += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Fill::Idle),
                Err(error) => return Err(self.fault(&error)),
            }
        }
        Ok(Fill::Ready)
    }

    fn fault(&self, error: &io::Error) -> Fault {
        let offset = self.offset + self.end as u64;
        let packed = match self.reader {
            _ if error.raw_os_error().is_some() => None,
            Reader::Gzip(_) => Some("gzip"),
            Reader::Zstd(_) => Some("zstd"),
            Reader::Unknown(_) | Reader::Plain(_) => None,
        };
        match packed {
            Some(packed) if error.kind() == ErrorKind::UnexpectedEof => {
                Fault::cut_off(offset, format_args!("the {packed} data end early"))
            }
            Some(packed) => Fault::damaged(offset, format_args!("the {packed} data can't be unpacked ({error})")),
            None => {
                Fault { offset: Some(offset), message: format!("can't be read at byte {offset}: {}", describe(error)) }
            }
        }
    }
}

/// What the system says of an error, without its number.
pub(super) fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_string()
}

enum Reader {
    /// Nothing was read yet. Always `Some` outside of [`Reader::read`].
    Unknown(Option<Raw>),
    Plain(Raw),
    Gzip(Box<MultiGzDecoder<BufReader<Raw>>>),
    Zstd(Box<zstd::Decoder<'static, BufReader<Raw>>>),
}

impl Reader {
    fn raw(&self) -> Option<&Raw> {
        match self {
            Self::Unknown(raw) => raw.as_ref(),
            Self::Plain(raw) => Some(raw),
            Self::Gzip(gzip) => Some(gzip.get_ref().get_ref()),
            Self::Zstd(zstd) => Some(zstd.get_ref().get_ref()),
        }
    }

    fn raw_mut(&mut self) -> Option<&mut Raw> {
        match self {
            Self::Unknown(raw) => raw.as_mut(),
            Self::Plain(raw) => Some(raw),
            Self::Gzip(gzip) => Some(gzip.get_mut().get_mut()),
            Self::Zstd(zstd) => Some(zstd.get_mut().get_mut()),
        }
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if let Self::Unknown(raw) = self {
            if let Some(raw) = raw {
                raw.peek()?;
            }
            if let Some(raw) = raw.take() {
                *self = Self::of(raw)?;
            }
        }
        let step = into.len().min(UNPACK);
        match self {
            Self::Unknown(_) => Ok(0),
            Self::Plain(raw) => raw.read(into),
            Self::Gzip(gzip) => gzip.read(&mut into[..step]),
            Self::Zstd(zstd) => zstd.read(&mut into[..step]),
        }
    }

    fn of(raw: Raw) -> io::Result<Self> {
        Ok(match raw.head[..] {
            [0x1f, 0x8b, ..] => Self::Gzip(Box::new(MultiGzDecoder::new(BufReader::with_capacity(BLOCK, raw)))),
            // A frame, or a skippable frame as parallel packers put in front (RFC 8878 section 3.1).
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
                Self::Zstd(Box::new(zstd::Decoder::with_buffer(BufReader::with_capacity(BLOCK, raw))?))
            }
            _ => Self::Plain(raw),
        })
    }
}

/// The input as it is stored.
struct Raw {
    origin: Origin,
    /// The first bytes, which tell how the file is compressed.
    head: Vec<u8>,
    /// How many of them were given out.
    served: usize,
    count: u64,
}

enum Origin {
    File {
        file: File,
        /// How long to wait for more; `None`: it is a regular file, where nothing needs waiting for.
        idle: Option<Duration>,
    },
    Reader(Box<dyn Read + Send>),
}

impl Raw {
    /// Reads the first four bytes, if there are as many, to be read once more.
    fn peek(&mut self) -> io::Result<()> {
        while self.head.len() < 4 {
            let mut bytes = [0; 4];
            let n = self.fetch(&mut bytes[self.head.len()..])?;
            if n == 0 {
                break;
            }
            let have = self.head.len();
            self.head.extend_from_slice(&bytes[have..have + n]);
        }
        Ok(())
    }

    fn fetch(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = match &mut self.origin {
            Origin::Reader(reader) => reader.read(into)?,
            Origin::File { file, idle } => {
                if let Some(idle) = idle {
                    let wait = Timespec { tv_sec: idle.as_secs() as i64, tv_nsec: idle.subsec_nanos().into() };
                    match poll(&mut [PollFd::new(file, PollFlags::IN)], Some(&wait)) {
                        Ok(0) | Err(rustix::io::Errno::INTR) => return Err(ErrorKind::WouldBlock.into()),
                        other => other?,
                    };
                }
                file.read(into)?
            }
        };
        self.count += n as u64;
        Ok(n)
    }
}

impl Read for Raw {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.served < self.head.len() {
            let n = (&self.head[self.served..]).read(into)?;
            self.served += n;
            return Ok(n);
        }
        self.fetch(into)
    }
}

"""The engine: from packets to Arrow batches (Rust, `agent/engine`).

Batches cross as Arrow C data (PyCapsule interface) in process; payloads as encapsulated IPC record batch messages,
already compressed, ready to be sent or appended to a segment file as they are.
"""

from collections.abc import Iterator, Sequence
from typing import final

SCHEMA_VERSION: int

class CaptureError(Exception):
    """A capture can't be read, or no further. The message names the file, the byte offset and what is wrong there.

    `args` is `(message, path, offset)`; `offset` is in bytes of the (uncompressed) capture, or None.
    """

@final
class RecordBatch:
    """Rows of one schema; give it to `pyarrow.record_batch()`, `duckdb`, or anything that knows Arrow's PyCapsules."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...
    def __arrow_c_schema__(self) -> object: ...
    def __len__(self) -> int: ...

@final
class Schema:
    """An Arrow schema; give it to `pyarrow.schema()`."""

    def __arrow_c_schema__(self) -> object: ...

def schemas() -> dict[str, Schema]:
    """The schemas of what the engine makes: exchange, payload, message, message_payload, connection, counter."""

def payload_schema_message(kind: str) -> bytes:
    """The encapsulated IPC schema message that must precede batches of `payload` or `message_payload`."""

@final
class Batch:
    """What came out of the pipeline since the last one. Any part may be None (nothing of it)."""

    exchanges: RecordBatch | None
    payloads: bytes | None
    """IPC message with one row for each row of `exchanges`; None if bodies and heads were not asked for."""
    messages: RecordBatch | None
    message_payloads: bytes | None
    connections: RecordBatch | None
    counters: RecordBatch | None
    """The newest values of all counters; at least in the last batch of a source."""
    position: int
    """Bytes of the input that were read so far (as stored on disk), over all files."""
    packets: int
    """Packets read so far."""
    now: int
    """Time of the newest packet, ns; 0 before the first."""

@final
class FileReader:
    """Reads capture files (pcap, pcapng; gzip or zstd compressed; "-" is standard input) one after another as one.

    Iterating gives batches until the end of the last file; each step runs without the GIL. A step returns when
    `batch_rows` exchanges or some MiB of payload are there; on a pipe at least every 250 ms, if need be with an empty
    batch.

    When a file is damaged, the records up to there are given first; then `CaptureError` is raised, once, and
    iterating again goes on with the next file.
    """

    def __new__(
        cls,
        paths: Sequence[str],
        *,
        heads: bool = True,
        bodies: bool = True,
        body_limit: int = 65536,
        redact: bool = True,
        redact_key: bytes | None = None,
        redact_names: Sequence[str] = (),
        descriptors: Sequence[bytes] = (),
        batch_rows: int = 16384,
        batch_ns: int | None = None,
        compression: str = "zstd",
    ) -> FileReader:
        """Opens nothing yet.

        Args:
            paths: files in the order to read them.
            heads: whether payloads are made at all.
            bodies: whether bodies are in the payloads.
            body_limit: bytes of one body that are kept.
            redact: whether secrets are replaced by marks.
            redact_key: 16 bytes that key the marks; None: random. Equal keys give equal marks.
            redact_names: further names of headers, query parameters and fields that hold secrets (lower case).
            descriptors: sets of descriptors of Protocol Buffers (`FileDescriptorSet`): what fields of gRPC messages are
                called, so that secrets among them are found; what servers tell of themselves is known besides.
            batch_rows: exchanges in one batch.
            batch_ns: time of the packets in one batch, at least 1, if need be an empty one; the first has the first
                packet alone. None: however long they take.
            compression: of payloads: "zstd" (a fast level: quicker than lz4, and fewer bytes), "lz4" or "none".

        Raises:
            ValueError: an argument is out of range.
        """

    def __iter__(self) -> Iterator[Batch]: ...
    def __next__(self) -> Batch: ...
    def close(self) -> None:
        """Stops early; a step that is running in another thread ends soon."""

@final
class LiveReader:
    """Reads the packets of one network namespace as they pass (Linux; needs CAP_NET_RAW in it).

    Iterating gives a batch at least every `flush_ms`, if need be an empty one; each step runs without the GIL, one
    thread at a time. What is still open is put out about once a second, to be replaced by a higher revision. After
    `close()`, or when the namespace's path leads to it no more (the process ended, the name was removed), a last batch
    has what was still open; then iteration ends.

    Frames are taken whole, also those larger than the link's MTU (GSO, GRO). Loopback's are seen once. An interface
    that goes down, or goes and comes again under its name, is heard again; reading all interfaces, new ones are heard
    too. Nothing is set on the interfaces; in particular they are not made promiscuous.

    Counters of stage "ring": `packets` that passed the filter, `drops` of them because the ring was full, `freezes`
    (how often it was), `interface_losses`; of stage "recording": `packets`, `bytes`, and `dropped` for want of room.
    """

    def __new__(
        cls,
        *,
        interface: str | None = None,
        netns: str | None = None,
        exclude: Sequence[tuple[str, int]] = (),
        ports: Sequence[int] = (),
        ring_bytes: int = 8 << 20,
        snap_length: int = 131072,
        flush_ms: int = 250,
        origin: int | None = None,
        heads: bool = True,
        bodies: bool = True,
        body_limit: int = 65536,
        redact: bool = True,
        redact_key: bytes | None = None,
        redact_names: Sequence[str] = (),
        descriptors: Sequence[bytes] = (),
        batch_rows: int = 16384,
        compression: str = "zstd",
        record: str | None = None,
        record_bytes: int = 1 << 30,
        record_files: int = 1,
    ) -> LiveReader:
        """Opens the source; packets are taken from then on.

        Args:
            interface: its name; None: all there are and all that come.
            netns: path of a network namespace (/proc/PID/ns/net, /run/netns/NAME); None: our own.
            exclude: (IP address, port) of ends whose TCP and UDP traffic is left out, to and from; "0.0.0.0" and "::"
                stand for any address. Up to 64. For our own shipping, which would feed on itself.
            ports: only TCP and UDP from or to these ports (and tunnels, fragments, ICMP); empty: all. Up to 64.
            ring_bytes: of memory shared with the kernel, 512 KiB to 1 GiB.
            snap_length: bytes of a frame that are taken, 64 to 131072.
            flush_ms: how long rows may wait, 10 to 10000 ms.
            origin: 64 bits that tell the ids of this reader's records from those of others; None: random.
            record: path of a pcapng file that raw packets are written to, with their secrets; only its owner may read
                it. What is there is replaced.
            record_bytes: of all its files together.
            record_files: with 1, writing stops when the file is full; with more, they are named `STEM-1.EXT`,
                `STEM-2.EXT` ... and the oldest makes room.

        The others are those of `FileReader`.

        Raises:
            PermissionError: a capability is missing; the message names it.
            CaptureError: there is no such interface or namespace, or the system refuses.
            ValueError: an argument is out of range.
        """

    def __iter__(self) -> Iterator[Batch]: ...
    def __next__(self) -> Batch: ...
    def shed(self, *, bodies: bool = False, keep_one_in: int = 1) -> None:
        """Does less, until called anew; from any thread.

        Connections that are left out are chosen by a hash of their ends, the same for both directions and in every
        reader. Those that are known already end here, as far as they were seen. Counters of stage "shed": `packets`,
        `connections`, and `exchanges` that they would have given (turns of conversations in a known protocol).

        Args:
            bodies: whether bodies (the answers of DNS among them) are left out.
            keep_one_in: keep one of so many connections; 1: all.
        """

    def set_filter(self, *, exclude: Sequence[tuple[str, int]] = (), ports: Sequence[int] = ()) -> None:
        """Replaces the filter, at once for all packets that follow; from any thread. Arguments as for the class."""

    @property
    def recording_problem(self) -> str | None:
        """Why raw packets are not written any more (disk full); None: they are, or it was not asked for."""

    def close(self) -> None:
        """Ends reading, from any thread: a step that waits gives the last batch soon."""

class LiveGroup:
    """Live readers that one thread reads (Linux).

    Iterating waits, without the GIL, and gives the number of a reader with a batch of it; or with None once: it was
    closed or has ended, is read here no more, and gives what it still has to whoever iterates it. The more readers
    there are, in it and beside it, the longer rows may wait: 40 ms for each, a second at most.
    """

    def __new__(cls) -> LiveGroup:
        """None yet."""

    def beside(self) -> LiveGroup:
        """Another, for a thread of its own."""

    def add(self, key: int, reader: LiveReader) -> None:
        """Takes a reader in, from any thread. `key` is given with what it has."""

    def __iter__(self) -> Iterator[tuple[int, Batch | None]]: ...
    def __next__(self) -> tuple[int, Batch | None]: ...
    def close(self) -> None:
        """Ends the iteration, from any thread; the readers stay as they are."""

def packets(
    paths: Sequence[str],
    *,
    ends: tuple[tuple[str, int], tuple[str, int]],
    start: int,
    end: int,
    max_bytes: int = 16 << 20,
) -> tuple[bytes, int, int]:
    """The packets between two ends out of capture files (TCP, UDP, and ICMP about them), as pcapng.

    Args:
        paths: capture files, as for `FileReader`; one that is damaged serves up to there.
        ends: (IP address, port) of both.
        start: ns since the epoch; packets before are left out.
        end: ns since the epoch; packets after are left out.
        max_bytes: of pcapng.

    Returns:
        The pcapng, the number of packets in it, the number of packets for which there was no room.

    Raises:
        CaptureError: a file can't be opened.
    """

def annotate(
    paths: Sequence[str],
    to: str,
    *,
    comment: str = "",
    names: Sequence[tuple[str, str]] = (),
    comments: Sequence[tuple[int, str]] = (),
) -> tuple[int, int]:
    """Copies recordings of `LiveReader` to one pcapng with names and comments in it.

    Args:
        paths: the recordings, the oldest first; one that is cut serves up to there.
        to: path of the new file, which only its owner may read.
        comment: on the file.
        names: (IP address, name).
        comments: (time of the packet in ns since the epoch, text).

    Returns:
        The number of packets, and how many of them have a comment.

    Raises:
        OSError: a file can't be read or written.
        ValueError: what should be an address is none.
    """

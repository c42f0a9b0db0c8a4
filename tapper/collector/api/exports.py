"""Files made of requests and of the map: a thread writes them in pieces, the event loop sends them as they come."""

from __future__ import annotations

import asyncio
import io
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import pyarrow as pa
from aiohttp import web
from aiohttp.hdrs import METH_HEAD

from tapper.collector.api import answers
from tapper.feed.rows import EXCHANGE_ROW, PAYLOAD_ROW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed import ReadableBuffer

    from tapper.collector.api.workers import Workers
    from tapper.feed.interface import Feed

ARROW = "application/vnd.apache.arrow.stream"


@dataclass(frozen=True, slots=True)
class Form:
    """A format of files."""

    media_type: str
    suffix: str


LISTS = {
    "har": Form("application/json", "har"),
    "jsonl": Form("application/x-ndjson", "jsonl"),
    "json": Form("application/json", "json"),
    "csv": Form("text/csv; charset=utf-8", "csv"),
    "parquet": Form("application/vnd.apache.parquet", "parquet"),
    "yaml": Form("application/yaml", "yaml"),
    "arrow": Form(ARROW, "arrows"),
}
MAPS = {
    "json": Form("application/json", "json"),
    "graphml": Form("application/graphml+xml", "graphml"),
    "dot": Form("text/vnd.graphviz; charset=utf-8", "dot"),
    "mermaid": Form("text/plain; charset=utf-8", "mmd"),
    "csv": Form("text/csv; charset=utf-8", "csv"),
    "svg": Form("image/svg+xml", "svg"),
    "png": Form("image/png", "png"),
}

PIECE = 1 << 16  # bytes sent at once
PIECES = 16  # that wait for a slow reader: 1 MiB
PATIENCE_S = 60
"""A reader that takes nothing for so long is let go."""


class Pipe(io.RawIOBase):
    """A file that a thread writes and the event loop reads. Writing waits while the reader is slow."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._loop = loop
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue(PIECES)
        self._left = False

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Gives all of it to the reader.

        Raises:
            BrokenPipeError: the reader has left.
        """
        piece = bytes(data)
        if piece:
            self._put(piece)
        return len(piece)

    def end(self) -> None:
        """Tells the reader that this was all."""
        if not self._left:
            self._put(b"")

    def _put(self, piece: bytes) -> None:
        if self._left or self._loop.is_closed():
            raise BrokenPipeError
        asyncio.run_coroutine_threadsafe(self._pieces.put(piece), self._loop).result()

    async def read_piece(self) -> bytes:
        """The next piece; empty at the end."""
        return await self._pieces.get()

    def leave(self) -> None:
        """The reader goes; whoever writes is told so at the next piece. In the event loop."""
        self._left = True
        while not self._pieces.empty():
            self._pieces.get_nowait()


async def send(
    request: web.Request, workers: Workers, form: Form, name: str, write: Callable[[BinaryIO], object]
) -> web.StreamResponse:
    """Sends what `write` writes in a thread. An error before the first piece is raised, a later one cuts the answer."""
    pipe = Pipe(asyncio.get_running_loop())

    def run() -> None:
        with suppress(BrokenPipeError):  # the reader has left
            sink = io.BufferedWriter(pipe, PIECE)
            write(cast("BinaryIO", sink))
            sink.flush()
            pipe.end()

    writing = asyncio.ensure_future(workers.run(run))
    reading = asyncio.ensure_future(pipe.read_piece())
    try:
        await asyncio.wait((writing, reading), return_when=asyncio.FIRST_COMPLETED)
        if writing.done() and writing.exception() is not None:
            await writing
        response = web.StreamResponse(headers={"Content-Type": form.media_type})
        response.headers["Content-Disposition"] = f'attachment; filename="{name}.{form.suffix}"'
        await response.prepare(request)
        if request.method == METH_HEAD:
            return response
        while piece := await reading:
            async with asyncio.timeout(PATIENCE_S):
                await response.write(piece)
            reading = asyncio.ensure_future(pipe.read_piece())
            await asyncio.wait((writing, reading), return_when=asyncio.FIRST_COMPLETED)
            if writing.done() and not reading.done():
                await writing
        await response.write_eof()
        return response
    finally:
        reading.cancel()
        pipe.leave()


def write_requests(feed: Feed, form: str, values: dict[str, Any], sink: BinaryIO) -> None:
    """Requests as a file of LISTS."""
    from tapper.export.requests import write

    query = answers.query_of(values)
    if form != "arrow":
        write(feed, query, form, sink)
        return
    write_arrow(feed.batches(query), schema_of(query.columns), sink)


def schema_of(columns: Iterable[str]) -> pa.Schema:
    """Of rows with these columns; none: all of the narrow row."""
    whole = pa.schema([*EXCHANGE_ROW, *PAYLOAD_ROW])
    return pa.schema([whole.field(name) for name in columns or EXCHANGE_ROW.names])


def write_arrow(tables: Iterable[pa.Table], schema: pa.Schema, sink: Any) -> None:
    """An Arrow IPC stream of these tables."""
    with pa.ipc.new_stream(sink, schema) as stream:
        for table in tables:
            stream.write_table(table.select(schema.names).cast(schema))


def write_map(feed: Feed, form: str, values: dict[str, Any], sink: BinaryIO) -> None:
    """The map as a file of MAPS."""
    from tapper.export.map import graph, render

    sink.write(render(graph(answers.map_of(feed, values)), form))

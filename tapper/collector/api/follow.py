"""What comes from now on, for one reader: server-sent events for a browser, an Arrow stream for a remote feed.

A browser that is slow or sleeps gets the newest rows and the number of those it missed, at most four times a second; a
remote feed gets every row, and the feed that it follows waits for it.
"""

from __future__ import annotations

import asyncio
import io
import json
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from aiohttp import web
from aiohttp.hdrs import METH_HEAD

from tapper.collector.api import errors
from tapper.collector.api.exports import ARROW, PATIENCE_S, PIECE, Pipe, schema_of
from tapper.feed import documents

if TYPE_CHECKING:
    from collections.abc import Callable

    from tapper.collector.api.workers import Workers
    from tapper.feed.interface import Feed

TICK_S = 0.25
"""Between two events of a kind."""
MOST_ROWS = 500
"""Of one event: at four a second 2,000 rows, as many as a page can show and stay quick."""
PING_S = 10
"""Without anything to say, so that both ends see a connection that is gone."""


class Mailbox:
    """The newest rows that the reader has not had yet; what has no room is counted."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._tables: deque[pa.Table] = deque()
        self._rows = 0
        self._skipped = 0
        self.left = False
        """Set by the reader: no more is wanted."""
        self.ended = False
        """Set by the writer: no more will come."""

    def put(self, table: pa.Table) -> None:
        """Adds rows; the oldest give way."""
        with self._lock:
            if table.num_rows:
                self._tables.append(table)
                self._rows += table.num_rows
            while self._rows > self._most:
                oldest = self._tables.popleft()
                over = min(self._rows - self._most, oldest.num_rows)
                self._rows -= over
                self._skipped += over
                if over < oldest.num_rows:
                    self._tables.appendleft(oldest.slice(over))

    def take(self) -> tuple[list[pa.Table], int]:
        """All that is there, and how many rows are missing before them."""
        with self._lock:
            taken = list(self._tables), self._skipped
            self._tables.clear()
            self._rows = self._skipped = 0
            return taken


async def events(
    request: web.Request, feed: Feed, values: dict[str, Any], readers: Workers, workers: Workers
) -> web.StreamResponse:
    """Server-sent events: `rows` {rows, skipped}, `revision` {revision}, `failed` {error}, `end` {}."""
    live = (await workers.run(feed.health)).live
    mailbox = Mailbox(MOST_ROWS)

    def read() -> None:
        try:
            for table in feed.follow(values["where"], values["columns"]):
                if mailbox.left:
                    return
                mailbox.put(table)
        finally:
            mailbox.ended = True

    reading = asyncio.ensure_future(readers.run(read)) if live else None
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
    try:
        await response.prepare(request)
        if request.method != METH_HEAD:
            await _send_events(response, mailbox, lambda: workers.run(feed.revision), reading)
    finally:
        mailbox.left = True
    return response


async def _send_events(
    response: web.StreamResponse,
    mailbox: Mailbox,
    revision: Callable[[], Any],
    reading: asyncio.Future[None] | None,
) -> None:
    loop = asyncio.get_running_loop()
    known, said = None, loop.time()
    while True:
        over = reading is None or reading.done()
        parts = []
        tables, skipped = mailbox.take()
        if tables or skipped:
            rows = [row for table in tables for row in documents.rows(table)]
            parts.append(_event("rows", {"rows": rows, "skipped": skipped}))
        if (now := await revision()) != known:
            known = now
            parts.append(_event("revision", {"revision": now}))
        if over:
            problem = reading.exception() if reading is not None else None
            if isinstance(problem, Exception) and (described := errors.describe(problem)) is not None:
                parts.append(_event("failed", described[1]))
            elif problem is not None:
                raise problem
            parts.append(_event("end", {}))
        elif not parts and loop.time() - said > PING_S:
            parts.append(_event("ping", {}))
        if parts:
            async with asyncio.timeout(PATIENCE_S):
                await response.write("".join(parts).encode())
            said = loop.time()
        if over:
            return
        await asyncio.sleep(TICK_S)


def _event(name: str, document: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(document)}\n\n"


async def arrow(request: web.Request, feed: Feed, values: dict[str, Any], readers: Workers) -> web.StreamResponse:
    """An Arrow IPC stream; batches without rows say that it still follows, its end that no more can come."""
    schema = schema_of(values["columns"])
    none = pa.RecordBatch.from_pylist([], schema)
    pipe = Pipe(asyncio.get_running_loop())

    def read() -> None:
        with suppress(BrokenPipeError):  # the reader has left
            sink = io.BufferedWriter(pipe, PIECE)  # Arrow writes each column by itself
            with pa.ipc.new_stream(pa.PythonFile(sink, "w"), schema) as stream:
                for table in feed.follow(values["where"], values["columns"]):
                    asked = table.select(schema.names).cast(schema).combine_chunks()
                    stream.write_batch(asked.to_batches()[0] if asked.num_rows else none)
                    sink.flush()
            sink.flush()
            pipe.end()

    reading = asyncio.ensure_future(readers.run(read))
    response = web.StreamResponse(headers={"Content-Type": ARROW})
    piece: asyncio.Future[bytes] = asyncio.ensure_future(pipe.read_piece())
    try:
        await response.prepare(request)
        while request.method != METH_HEAD:
            await asyncio.wait((reading, piece), return_when=asyncio.FIRST_COMPLETED)
            if not piece.done():
                await reading  # an error: the stream is cut, which tells the reader
            if not (data := await piece):
                break
            async with asyncio.timeout(PATIENCE_S):
                await response.write(data)
            piece = asyncio.ensure_future(pipe.read_piece())
        await response.write_eof()
    finally:
        piece.cancel()
        pipe.leave()
    return response

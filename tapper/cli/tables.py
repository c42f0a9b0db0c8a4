"""All rows of a query as tables of bounded size, in any order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from tapper.feed.interface import Feed, Query

PAGE = 10_000
PAYLOAD_PAGE = 500
"""With heads and bodies, which may have 64 KiB each."""


def tables(feed: Feed, query: Query) -> Iterator[pa.Table]:
    """What matches; `limit` 0: all. In the order of time as a stream, else page by page."""
    if query.order == "time" and not query.descending:
        yield from feed.batches(query)
        return
    size = PAYLOAD_PAGE if "response_body" in query.columns else PAGE
    done = 0
    while query.limit == 0 or done < query.limit:
        wanted = min(size, query.limit - done) if query.limit else size
        page = feed.page(replace(query, limit=wanted, offset=query.offset + done))
        if page.num_rows:
            yield page
        done += page.num_rows
        if page.num_rows < wanted:
            return

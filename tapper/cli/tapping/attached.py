"""The feed of the collector that is installed in a cluster, through the API server."""

from __future__ import annotations

import contextlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tapper.cli.tapping.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapper.feed.remote import RemoteFeed
    from tapper.kube.connect import Access


@contextmanager
def attached(access: Access) -> Iterator[RemoteFeed]:
    """Its feed while the block runs.

    Raises:
        KubeError: there is none, or the user may not.
    """
    from tapper.feed.remote import open_remote
    from tapper.kube.connect import connect
    from tapper.kube.installing import attach

    held = contextlib.AsyncExitStack()

    async def begin() -> tuple[str, str]:
        cluster = await held.enter_async_context(connect(access))
        session = await attach(cluster)
        return await held.enter_async_context(session.forwarded()), session.token

    loop = Loop()
    try:
        try:
            url, token = loop.run(begin())
            with open_remote(url, token) as feed:
                yield feed
        finally:
            loop.run(held.aclose())
    finally:
        loop.close()

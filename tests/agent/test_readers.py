"""Live sources share as many threads as there are cores for them."""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack

import pytest

from agent._engine import LiveReader
from agent.sources import Readers, Source
from agent.spool import Spool
from tests.live.network import Host, host, needs_root, wait_until

pytestmark = needs_root

SPEAK = "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'?', ('127.0.0.1', 9))"


def source(of: Host, readers: Readers, spool: Spool) -> Source:
    made = Source(of.name, lambda: LiveReader(netns=of.path, ring_bytes=512 << 10, flush_ms=10), spool)
    made.readers = readers
    return made


def reading() -> int:
    return sum(thread.name == "sources" for thread in threading.enumerate())


@pytest.mark.parametrize(("threads", "begun"), [(1, 1), (2, 2), (8, 3)])
def test_each_thread_reads_its_share(threads: int, begun: int) -> None:
    readers, spool, before = Readers(threads), Spool(8 << 20, 0, None), reading()
    with ExitStack() as stack:
        hosts = [stack.enter_context(host()) for _ in range(3)]
        sources = [source(one, readers, spool) for one in hosts]
        for one in sources:
            one.start()
        wait_until(lambda: all(one.state == "open" for one in sources))
        wait_until(lambda: reading() - before == begun)
        for one in hosts:
            one.run(sys.executable, "-c", SPEAK)
        wait_until(lambda: all(one.packets for one in sources))
        for one in sources:
            one.close()
        assert all(one.join(10) for one in sources)
        assert [one.state for one in sources] == ["ended"] * 3
    readers.close()
    wait_until(lambda: reading() == before)

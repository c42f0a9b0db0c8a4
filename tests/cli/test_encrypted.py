"""Where all traffic is encrypted, that is what is said, and what can be seen all the same."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from tapper.cli.tapping.showing import silence
from tapper.feed.interface import Health
from tapper.feed.session import open_session
from tests.cli.traffic import ORDERS, Traffic, answer, get
from ui.terminal.emptiness import nothing

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Tapper


def _hello() -> bytes:
    """What a client of TLS says first."""
    sent = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), sent, server_hostname="orders")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return sent.read()


@pytest.mark.parametrize("also", [False, True])
def test_that_all_is_encrypted_is_told(tapper: Tapper, tmp_path: Path, also: bool) -> None:
    """And not where some is: then there is a request, or a filter that lets none through."""
    traffic = Traffic()
    traffic.call(_hello(), None, server=ORDERS)
    if also:
        traffic.call(get("/"), answer())
    ran = tapper("read", traffic.write(tmp_path / "x.pcap"), "--save", "x.tap")
    with open_session(tmp_path / "x.tap") as feed:
        summary = feed.summary()
    said = " ".join(silence(summary, Health(live=True, title="web"), 65))
    words = "Traffic flows but is encrypted: 1 TLS connection."
    if also:
        assert words not in ran.err + said
    else:
        assert all(words in place for place in (ran.err, said, nothing(summary, Health())))
        assert said.startswith("Listening on web for 1:05.")

"""The health port of an agent: what it says, and that nobody can write into its log."""

from __future__ import annotations

import socket
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.collector.running import agent, collector
from tests.live.network import wait_until

if TYPE_CHECKING:
    from pathlib import Path


def asked(port: int, path: str) -> str:
    """The answer, or nothing while there is none."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


@pytest.mark.parametrize(
    "sent",
    [b"no HTTP at all\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET / HTTP/1.1\r\n\r\n"],
    ids=["words", "TLS", "no host"],
)
def test_what_is_no_http_is_refused_and_not_logged(tmp_path: Path, sent: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with collector(tmp_path) as there, agent(there, "a", "--health", f"127.0.0.1:{port}") as process:
        wait_until(lambda: asked(port, "/healthz") == "ok\n")
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.sendall(sent)
            assert connection.recv(1 << 16).startswith(b"HTTP/1.0 400 ")
        assert "tapper_agent_connected" in asked(port, "/metrics")
        process.terminate()
        _, told = process.communicate(timeout=60)
    assert told == ""

"""Interfaces, namespaces, processes that come and go; what a reader leaves behind; what it says if it can't begin."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from threading import active_count
from typing import TYPE_CHECKING

import pytest

from agent._engine import CaptureError, LiveReader
from tests.live.network import host, ip, needs_root, nginx, pair, wait_until
from tests.live.tap import Tap

if TYPE_CHECKING:
    from tests.live.network import Host

pytestmark = needs_root

URL = "http://10.9.0.2:8080/plain"


def test_an_interface_that_comes_later(tmp_path: Path) -> None:
    with host() as one, host() as other, ExitStack() as stack:
        tap = stack.enter_context(Tap(netns=one.path))
        ip("-n", one.name, "link", "add", "veth9", "type", "veth", "peer", "name", "veth9", "netns", other.name)
        connect(one, other, "veth9")
        stack.enter_context(nginx(other, tmp_path))
        one.run("curl", "-sS", "http://10.9.0.2:8080/plain")
        stack.close()
        assert [e["status"] for e in tap.exchanges()] == [200]


def connect(one: Host, other: Host, interface: str) -> None:
    for number, end in enumerate((one, other), 1):
        end.ip("addr", "add", f"10.9.0.{number}/24", "dev", interface)
        end.ip("link", "set", interface, "up")


def test_an_interface_that_goes_and_comes(tmp_path: Path) -> None:
    with pair() as (client, server), nginx(server, tmp_path), Tap(netns=client.path, interface="eth0") as tap:
        client.run("curl", "-sS", URL)
        client.ip("link", "set", "eth0", "down")
        wait_until(lambda: tap.counters()["ring.interface_losses"] == 1)
        client.ip("link", "set", "eth0", "up")
        client.run("curl", "-sS", "--retry", "20", "--retry-connrefused", "--retry-delay", "1", f"{URL}?up")
        client.ip("link", "del", "eth0")
        wait_until(lambda: tap.counters()["ring.interface_losses"] >= 2)
        ip("-n", client.name, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", server.name)
        before = len(tap.batches)
        connect(client, server, "eth0")
        wait_until(lambda: len(tap.batches) > before + 2)  # each of them looks for the interface
        client.run("curl", "-sS", f"{URL}?new")
    assert [e["target"] for e in tap.exchanges()] == ["/plain", "/plain?up", "/plain?new"]


def test_a_namespace_that_goes_ends_its_reader(tmp_path: Path) -> None:
    with host() as one, nginx(one, tmp_path):
        tap = Tap(netns=one.path)
        tap.thread.start()
        one.run("curl", "-sS", "http://127.0.0.1:8080/plain")
        wait_until(lambda: bool(tap.exchanges()))
    tap.thread.join(10)
    assert not tap.thread.is_alive()
    assert [e["outcome"] for e in tap.exchanges()] == ["ok"]


def test_a_process_that_goes_ends_its_reader() -> None:
    with host() as one:
        process = subprocess.Popen(one.command("sleep", "60"))
        wait_until(lambda: Path(f"/proc/{process.pid}/ns/net").stat() != Path("/proc/self/ns/net").stat())
        tap = Tap(netns=f"/proc/{process.pid}/ns/net")
        tap.thread.start()
        wait_until(lambda: bool(tap.batches))
        process.kill()
        process.wait()
        tap.thread.join(10)
        assert not tap.thread.is_alive()


def test_open_and_close_leave_nothing(tmp_path: Path) -> None:
    with host() as one:
        LiveReader(netns=one.path, ring_bytes=1 << 20).close()
        threads, descriptors = active_count(), _entries("fd")
        tasks = _entries("task")
        for i in range(200):
            with Tap(netns=one.path if i % 2 else None, ring_bytes=1 << 20) if i % 20 == 0 else _Idle(one):
                pass
        assert active_count() == threads
        assert _entries("fd") == descriptors
        assert _entries("task") == tasks


def _entries(name: str) -> int:
    return len(list(Path(f"/proc/self/{name}").iterdir()))


class _Idle:
    def __init__(self, one: Host) -> None:
        self.reader = LiveReader(netns=one.path, ring_bytes=1 << 20)

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        self.reader.close()
        del self.reader


def test_closing_wakes_a_waiting_reader() -> None:
    with host() as one:
        tap = Tap(netns=one.path, flush_ms=10_000)
        tap.thread.start()
        tap.reader.close()
        tap.thread.join(8)
        assert not tap.thread.is_alive()


def test_what_is_missing_is_said() -> None:
    with pytest.raises(CaptureError, match="there is no network namespace at /run/netns/live-none"):
        LiveReader(netns="/run/netns/live-none")
    with pytest.raises(CaptureError, match="/etc/passwd is no network namespace"):
        LiveReader(netns="/etc/passwd")
    with pytest.raises(CaptureError, match="there is no interface eth7"):
        LiveReader(interface="eth7")


def test_missing_capabilities_are_named() -> None:
    with host() as one:
        for capability, options in (("net_raw", ""), ("sys_admin", f"netns={one.path!r}")):
            command = ["setpriv", f"--bounding-set=-{capability}", f"--inh-caps=-{capability}", "--", sys.executable]
            command += ["-c", f"import agent._engine as engine; engine.LiveReader({options})"]
            result = subprocess.run(command, capture_output=True, text=True, check=False)
            assert "PermissionError: not permitted to " in result.stderr
            assert f"CAP_{capability.upper()} is missing" in result.stderr


def test_the_command_that_helps_is_named() -> None:
    """As nobody, in an own namespace: one line that can be pasted."""
    code = (
        "import sys\nsys.argv = ['tapper', 'tap', '--local', '--for', '3 s']\n"
        "import agent._engine as engine\nfrom agent.rights import advice\nimport os\nos.seteuid(65534)\n"
        "try: engine.LiveReader()\nexcept PermissionError as error: print(advice(error))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    (line,) = ran.stdout.splitlines()
    assert line.startswith("not permitted to capture packets: the capability CAP_NET_RAW is missing; run: sudo ")
    assert "tapper tap --local --for '3 s'" in line
    _, _, python = line.partition("sudo setcap cap_net_raw+ep ")
    # nobody may not follow all links to root's Python
    assert Path(python).resolve() == Path(sys.executable).resolve()

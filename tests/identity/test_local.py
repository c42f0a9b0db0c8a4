"""Names of this machine's own processes, by real sockets."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from tapper.identity import processes
from tapper.identity.index import Identity
from tapper.identity.local import AnyOf, LocalNames, hosts
from tapper.identity.names import Claim, Names
from tapper.identity.processes import container_of, script
from tests.live.network import host
from tests.processes import started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sock_diag is Linux's")

SERVER = (
    "import socket\ns = socket.create_server(('127.0.0.1', 0))\nprint(s.getsockname()[1], flush=True)\n"
    "while True: s.accept()"
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """A process `serve.py` that listens on loopback: its port, and itself."""
    (tmp_path / "serve.py").write_text(SERVER)
    command = [sys.executable, str(tmp_path / "serve.py")]
    with started(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline()), process


def test_who_listens(server: tuple[int, subprocess.Popen[str]]) -> None:
    with LocalNames() as owners:
        assert owners.is_local("127.0.0.1")
        assert not owners.is_local("192.0.2.1")
        assert owners.owner("127.0.0.1", server[0], time.time_ns()) == Names(process="serve.py")
        assert owners.owner("127.0.0.1", 1, time.time_ns()) is None
        assert owners.owner("192.0.2.1", server[0], time.time_ns()) is None


def test_a_server_that_ends_had_its_port_until_then(server: tuple[int, subprocess.Popen[str]]) -> None:
    port, process = server
    with LocalNames() as owners:
        before = time.time_ns()
        process.kill()
        process.wait()
        wait_until(lambda: owners.owner("127.0.0.1", port, time.time_ns()) is None)
        assert owners.owner("127.0.0.1", port, before) == Names(process="serve.py")


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="hearing connects needs CAP_NET_RAW")
def test_a_client_is_named_while_it_lives(server: tuple[int, subprocess.Popen[str]]) -> None:
    with LocalNames() as owners, socket.create_connection(("127.0.0.1", server[0])) as client:
        ip, port = client.getsockname()
        wait_until(lambda: owners.owner(ip, port, time.time_ns()) is not None)
        found = owners.owner(ip, port, time.time_ns())
    assert found is not None
    assert found.process not in (None, "serve.py")


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces")
def test_several_namespaces_and_an_address_that_all_of_them_have(tmp_path: Path) -> None:
    code = "import socket, time\ns = socket.create_server(('', 8000))\nprint(flush=True)\ntime.sleep(600)"
    with ExitStack() as stack:
        names = []
        for number, program in enumerate(("orders.py", "news.py"), 1):
            there = stack.enter_context(host())
            there.ip("addr", "add", f"10.5.0.{number}/32", "dev", "lo")
            (tmp_path / program).write_text(code)
            command = there.command(sys.executable, str(tmp_path / program))
            process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE))
            stack.callback(process.kill)
            assert process.stdout is not None
            process.stdout.readline()
            names.append(stack.enter_context(LocalNames(there.path)))
        owners, now = AnyOf(names), time.time_ns()
        assert owners.owner("10.5.0.1", 8000, now) == Names(process="orders.py")
        assert owners.owner("10.5.0.2", 8000, now) == Names(process="news.py")
        assert names[0].owner("127.0.0.1", 8000, now) == Names(process="orders.py")
        assert owners.owner("127.0.0.1", 8000, now) is None
        assert owners.is_local("10.5.0.2")
        assert not owners.is_local("10.5.0.3")


def test_rows_of_one_process_share_an_endpoint() -> None:
    class Owners:
        def is_local(self, ip: str) -> bool:
            return ip == "10.0.0.1"

        def owner(self, ip: str, port: int, time_ns: int) -> Names | None:
            known = {40_000: "curl", 40_001: "curl", 40_002: "wget"}
            return Names(process=known[port]) if port in known and time_ns >= 100 else None

    given = Claim(ip_network("10.0.0.9"), Names(name="given"), "file")
    identity = Identity([given], owners=Owners())
    src, dst = identity.ends(batch([(200, 40_000), (200, 40_001), (200, 40_002), (200, 40_003), (50, 40_000)]))
    assert src[0] == src[1]
    assert len({*src.tolist()}) == 3
    assert src[3] == src[4], "nobody that is known"
    assert len({*dst.tolist()}) == 1
    rows = {row["id"]: (row["process"], row["name_source"]) for row in identity.changes().to_pylist()}
    assert rows[src[0]] == ("curl", "process")
    assert rows[src[2]] == ("wget", "process")
    assert rows[src[3]] == (None, "address")


def test_what_was_given_by_hand_goes_before_the_process() -> None:
    class Owners:
        def is_local(self, ip: str) -> bool:
            return True

        def owner(self, ip: str, port: int, time_ns: int) -> Names | None:
            return Names(process="python3")

    given = Claim(ip_network("10.0.0.1"), Names(service="shop"), "file")
    identity = Identity([given], owners=Owners())
    identity.ends(batch([(200, 40_000), (300, 40_000)]))
    rows = {row["ip"]: (row["service"], row["process"]) for row in identity.changes().to_pylist() if row["service"]}
    assert rows == {"10.0.0.1": ("shop", None)}


def batch(rows: list[tuple[int, int]]) -> pa.RecordBatch:
    """Rows from 10.0.0.1 (time, port) to 10.0.0.9:80."""
    columns: dict[str, Any] = {
        "time": pa.array([time for time, _ in rows], pa.timestamp("ns", "UTC")),
        "src_ip": pa.array(["10.0.0.1"] * len(rows)).dictionary_encode(),
        "src_port": pa.array([port for _, port in rows], pa.uint16()),
        "dst_ip": pa.array(["10.0.0.9"] * len(rows)).dictionary_encode(),
        "dst_port": pa.array([80] * len(rows), pa.uint16()),
    }
    return pa.record_batch(columns)


def test_the_hosts_file(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_bytes(
        b"127.0.0.1 localhost\n10.0.0.7 Orders.test orders # ours\n\xff\nnonsense x\nfd00::7\nff02::1 all\n"
    )
    assert [(str(claim.network), claim.names.name) for claim in hosts(file)] == [("10.0.0.7/32", "orders.test")]
    assert hosts(tmp_path / "none") == []


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["python3", "-m", "http.server", "80"], "http.server"),
        (["node", "/app/server.js"], "server.js"),
        (["java", "-Xmx1g", "-jar", "/opt/shop.jar"], "shop.jar"),
        (["python3", "-c", "print()"], None),
        (["bash", ""], None),
    ],
)
def test_what_an_interpreter_runs(words: list[str], name: str | None) -> None:
    assert script(words) == name


def test_the_container_of_a_cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number = "0123456789abcdef" * 4
    monkeypatch.setattr(processes, "DOCKER", tmp_path)
    assert container_of(f"0::/system.slice/docker-{number}.scope\n") == "0123456789ab"
    assert container_of("0::/user.slice/user-0.slice\n") is None
    (tmp_path / number).mkdir()
    (tmp_path / number / "config.v2.json").write_text('{"Name": "/shop"}')
    assert container_of(f"0::/docker/{number}\n") == "shop"


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not so in time"
        time.sleep(0.02)

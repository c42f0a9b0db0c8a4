"""The collector as it runs in a cluster, with the keys that are placed for it: who is let in."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from agent import shipper
from agent.shipper import Shipper
from agent.spool import Spool
from tapper.collector.incluster import serve
from tapper.kube.credentials import make_credentials
from tapper.kube.manifest import objects
from tapper.kube.placement import AGENT, COLLECTOR, Placement
from tapper.model import control
from tapper.model.schema import SCHEMA_VERSION
from tests.kube.api_server import AUTHORITY, serving
from tests.kube.watch_server import WatchServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tapper.kube.credentials import Credentials

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(60)]

HOST = "localhost"


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _secret(keys: Credentials, name: str, folder: Path) -> Path:
    """A folder with the files of a secret, as a pod has them."""
    [item] = (
        item
        for item in objects(Placement("1", "tapper:1", temporary=False), keys)
        if (item["kind"], item["metadata"]["name"]) == ("Secret", name)
    )
    folder.mkdir()
    for file, text in item["stringData"].items():
        (folder / file).write_text(text)
    return folder


@asynccontextmanager
async def _collector(folder: Path, keys: Credentials, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """Its URL for agents."""
    account = folder / "account"
    account.mkdir()
    for name, text in (("token", "t"), ("ca.crt", AUTHORITY.certificate.decode()), ("namespace", "tapper-1")):
        (account / name).write_text(text)
    monkeypatch.setattr("tapper.kube.connect.SERVICE_ACCOUNT", account)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    port = _free()
    async with serving(WatchServer().answer) as api:
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(api))
        secret = _secret(keys, COLLECTOR, folder / "collector")
        running = asyncio.create_task(serve(secret, ("127.0.0.1", port), ("127.0.0.1", 0), None, None))
        try:
            await _listens(port, running)
            yield f"https://{HOST}:{port}"
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def _listens(port: int, running: asyncio.Task[None]) -> None:
    while True:
        assert not running.done(), running
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return


def _agent(at: str, keys: Credentials, folder: Path) -> shipper.Collector:
    secret = _secret(keys, AGENT, folder)
    token = (secret / "agent-token").read_text()
    return shipper.Collector(at, token, str(secret / "ca.crt"), str(secret / "tls.pem"))


async def _outcome(at: shipper.Collector) -> str | None:
    """Why an agent gets no connection; None: it is welcome."""
    hello = control.Hello("n", "boot", SCHEMA_VERSION, node="n")
    ship = Shipper(at, hello, Spool(1 << 20), lambda message: None, control.Status)
    running = asyncio.create_task(ship.run())
    try:
        while not ship.connected and ship.problem is None and not running.done():
            await asyncio.sleep(0.01)
        return f"refused: {running.exception()}" if running.done() else ship.problem
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_only_agents_with_a_certificate_of_the_session_are_let_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of those who know the token."""
    keys, others = make_credentials((HOST,)), make_credentials((HOST,))
    async with _collector(tmp_path, keys, monkeypatch) as url:
        mine = _agent(url, keys, tmp_path / "agent")
        assert await _outcome(mine) is None
        foreign = _secret(others, AGENT, tmp_path / "foreign") / "tls.pem"
        server = tmp_path / "server.pem"
        server.write_text(keys.collector_certificate + keys.collector_key)
        for other in (None, str(foreign), str(server)):  # TLS ends before anything is said
            assert await _outcome(replace(mine, certificate=other)) is not None
        assert "refuses the token" in str(await _outcome(replace(mine, token="x")))


async def test_agents_know_the_collector_by_its_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys, others = make_credentials((HOST,)), make_credentials((HOST,))
    async with _collector(tmp_path, keys, monkeypatch) as url:
        mine = _agent(url, keys, tmp_path / "agent")
        foreign = _secret(others, AGENT, tmp_path / "foreign") / "ca.crt"
        assert "not of the authority" in str(await _outcome(replace(mine, ca=str(foreign))))
        elsewhere = replace(mine, url=url.replace(HOST, "127.0.0.1"))
        assert "not of the authority" in str(await _outcome(elsewhere))

"""Parts of a tap fail while it runs: it goes on where it can, and says what it lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import yaml

from tapper.kube import kinds
from tapper.kube.refusals import KubeError
from tests.e2e.taps import left, run, session, tap, tapper
from tests.e2e.world import CLIENT, SERVER, ask, enter, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.taps import Tap
    from tests.e2e.world import World

pytestmark = pytest.mark.cluster


def _calling(world: World) -> None:
    simple = world.pod("simple-app", SERVER.format(port=80), port=80)
    world.pod("visitor", CLIENT.format(url=f"http://{simple['status']['podIP']}/hostname"), node=1)


def _next(running: Tap, what: str, seconds: float = 120) -> dict[str, Any]:
    """A request made after now, seen from both ends."""
    now = time.time_ns()

    def fresh(row: dict[str, Any]) -> bool:
        made = time.mktime(time.strptime(row["time"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
        return row["protocol"] == "http" and row["view"] == "both" and made * 1e9 > now

    return running.row(fresh, what, seconds)


def _pods(mine: str, component: str) -> list[dict[str, Any]]:
    labels = f"app.kubernetes.io/instance={mine},app.kubernetes.io/component={component}"
    found: list[dict[str, Any]] = ask(lambda cluster: cluster.list(kinds.POD, f"tapper-{mine}", labels))
    return found


def _delete(pods: list[dict[str, Any]]) -> None:
    for pod in pods:
        place = pod["metadata"]
        ask(lambda cluster, place=place: cluster.delete(kinds.POD, place["name"], place["namespace"]))


def test_agents_and_collector_are_replaced_and_the_tap_goes_on(world: World) -> None:
    _calling(world)
    with tap("-n", world.namespace) as running, running.feed() as feed:
        _next(running, "a request")
        mine = session(world.namespace)
        _delete(_pods(mine, "agent"))
        _next(running, "a request, of new agents")
        words = "began anew: nothing was seen there from"
        until(lambda: any(words in hint for hint in feed.health().hints), "it says what nobody saw")
        assert not any("took the place" in hint for hint in feed.health().hints)

        had = feed.count()
        started = feed.health().started_ns
        _delete(_pods(mine, "collector"))
        until(lambda: feed.health().started_ns != started and not feed.health().disconnected_ns, "a new collector")
        _next(running, "a request, by a new collector")
        hint = until(lambda: next((h for h in feed.health().hints if "took the place" in h), None), "it says so")
        assert "records that it had kept" in str(hint)
        gone = until(lambda: {loss.name: loss.value for loss in feed.summary().losses}.get("gone_records"), "the loss")
        assert had <= gone <= 6 * had  # connections are records too, and each end has its own
        assert running.end() == 0
    assert not left(mine)


@pytest.mark.alone
def test_the_api_server_may_be_away_for_a_while(world: World) -> None:
    _calling(world)
    with tap("-n", world.namespace) as running, running.feed():
        mine = session(world.namespace)
        _next(running, "a request")
        before = _api_server()
        subprocess.run([enter(), "kill", "-KILL", before], check=True)  # the node starts it again
        until(lambda: _api_server() not in ("", before) and _answers(), "the API server is there again")
        _next(running, "a request, after the API server was restarted", 90)
        world.pod("another", CLIENT.format(url="http://127.0.0.1:9/"))  # the cluster is followed again
        world.service("simple-app")
        running.row(lambda row: row["dst"]["service"] == "simple-app", "the name of a service made since", 60)
        assert running.end() == 0
    assert not left(mine)


def _api_server() -> str:
    """The number of its process; empty: there is none."""
    found = subprocess.run([enter(), "pgrep", "-x", "kube-apiserver"], check=False, capture_output=True, text=True)
    return found.stdout.strip()


def _answers() -> bool:
    try:
        return bool(ask(lambda cluster: cluster.list(kinds.NAMESPACE)))
    except KubeError:
        return False


class Proxy:
    """TCP to the API server, which can be cut."""

    def __init__(self, host: str, port: int) -> None:
        self._to = host, port
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._cut = False
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self.port = self._do(self._start())

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _start(self) -> int:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            writer.close()
            return
        up_reader, up_writer = await asyncio.open_connection(*self._to)
        self._open |= {writer, up_writer}
        await asyncio.gather(_copy(reader, up_writer), _copy(up_reader, writer))

    @contextmanager
    def cut(self) -> Iterator[None]:
        """While the block runs, nothing passes."""

        async def close() -> None:
            self._cut = True
            for writer in self._open:
                writer.transport.abort()
            self._open.clear()

        self._do(close())
        yield
        self._cut = False


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


def _through_proxy(folder: Path) -> tuple[Proxy, str]:
    """A proxy to the API server, and a kubeconfig that leads through it."""
    config: dict[str, Any] = yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text())
    place = config["clusters"][0]["cluster"]
    at = urlsplit(place["server"])
    proxy = Proxy(str(at.hostname), at.port or 443)
    place["server"] = f"https://127.0.0.1:{proxy.port}"
    place["tls-server-name"] = at.hostname
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    return proxy, str(file)


def test_the_way_to_the_cluster_may_be_lost_for_a_while(world: World, tmp_path: Path) -> None:
    _calling(world)
    proxy, config = _through_proxy(tmp_path)
    with tap("-n", world.namespace, "--kubeconfig", config) as running, running.feed() as feed:
        mine = session(world.namespace)
        _next(running, "a request")
        with proxy.cut():
            until(lambda: feed.health().disconnected_ns, "it says that the collector can't be reached")
            feed.revision()
        _next(running, "a request, after the way was there again")
        assert running.end() == 0
    assert not left(mine)


def test_a_tap_ends_when_the_way_to_the_cluster_is_lost_for_good(world: World, tmp_path: Path) -> None:
    """The collector, which hears nothing any more either, removes all."""
    _calling(world)
    proxy, config = _through_proxy(tmp_path)
    with tap("-n", world.namespace, "--kubeconfig", config) as running, running.feed():
        mine = session(world.namespace)
        _next(running, "a request")
        with proxy.cut():
            assert running.process.wait(150) == 1
            told = "\n".join(running.told)
            assert "nothing was heard of the cluster for 75 s" in told
            assert f"tapper-{mine} could not be removed: can't reach the cluster" in told
            until(lambda: not left(mine), "all of it is gone")


def test_two_taps_side_by_side(world: World) -> None:
    _calling(world)
    with tap("simple-app", "-n", world.namespace) as one, tap("visitor", "-n", world.namespace) as other:
        assert one.row(lambda row: row["target"] == "/hostname", "a request")["view"] == "server"
        assert other.row(lambda row: row["target"] == "/hostname", "a request")["view"] == "client"
        assert one.end() == 0
        other.row(lambda row: row["target"] == "/hostname", "a request after the other tap ended")
        mine = session(world.namespace)
        assert other.end() == 0
    assert not left(mine)


def test_a_namespace_that_does_not_end_is_told(world: World) -> None:
    _calling(world)
    with tap("simple-app", "-n", world.namespace) as running, running.feed():
        mine = session(world.namespace)
        meta = {"name": "held", "namespace": f"tapper-{mine}", "finalizers": ["example.org/held"]}
        world.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
        running.process.send_signal(signal.SIGINT)
        until(lambda: any("still being deleted" in line for line in running.told), "it says so", 90)
        assert running.process.wait(30) == 0
    assert f"namespace/tapper-{mine}  (being deleted)" in tapper("clean", mine, "--dry-run").splitlines()
    ended = run("clean", mine, "--timeout", "5s")
    assert ended.returncode == 1
    assert "example.org/held" in ended.stderr
    world.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {**meta, "finalizers": []}})
    assert run("clean", mine).returncode == 0
    assert not left(mine)

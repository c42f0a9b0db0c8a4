"""Names in a large cluster: memory of a collector that knows it, time to name records while it changes, and to say what
is tapped.

python -m bench.identity serve FILE     objects of a large cluster; the kubeconfig that leads there is written to FILE
python -m bench.identity memory FILE    a whole collector that follows that cluster, without traffic
python -m bench.identity naming    batches of records, with changes between them
python -m bench.identity targets   which pods are tapped, by a service, by a pattern, all
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from bench.process import run
from tapper.identity.index import Identity
from tapper.kube import kinds
from tapper.kube.connect import Access, connect
from tapper.kube.following import Following
from tapper.kube.naming import ClusterNames
from tapper.kube.placement import WATCHED
from tapper.kube.selection import Selection
from tapper.kube.tapped import Tapped
from tapper.kube.watching import Change
from tapper.model.schema import TIME
from tests.kube.api_server import serving, written
from tests.kube.watch_server import WatchServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.report import Line
    from tapper.kube.kinds import Kind
    from tapper.model.control import Target

NODES, SERVICES, PODS = 400, 5_000, 20_000
PER_SECOND = 50
RECORDS = 10_000
ROUNDS = 30
SETTLED = 10  # batches after which nearly all addresses were seen
MINUTE = 60 * PER_SECOND // 3  # pods that are replaced, each in three changes
BEGUN = 1_800_000_000_000_000_000


def figures(scratch: Path, line: Line) -> None:
    """All, each in a process of its own."""
    size = f"{PODS:,} pods, {SERVICES:,} services"
    command, config = [sys.executable, "-m", "bench.identity"], str(scratch / "kubeconfig")
    with subprocess.Popen([*command, "serve", config], stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            server.stdout.readline()
            memory = run([*command, "memory", config]).peak_mb
        finally:
            server.terminate()
    line(f"collector that follows {size}", f"{memory:,.0f} MB", "<= 500 MB", memory <= 500)
    told = json.loads(run([*command, "naming"]).output)
    text = f"{told['median']:.2f} ms each 1,000 (slowest batch {told['slowest']:.2f})"
    line(f"    naming {RECORDS:,} records, {PER_SECOND} changes/s", text, "<= 5 ms", told["median"] <= 5)
    first = f"{told['first']:.0f} ms each 1,000 of {told['addresses']:,} addresses"
    line("    the first batch after a start, of addresses that were never seen", first)
    line("    one change taken in", f"{told['change']:.2f} ms", f"<= {1000 / PER_SECOND:.0f} ms", told["change"] <= 20)
    took = json.loads(run([*command, "targets"]).output)
    text = ", ".join(f"{words or 'all pods'} {ms:.2f} ms" for words, ms in took.items())
    line("    what is tapped after one more change", text, "<= 10 ms", max(took.values()) <= 10)


def _meta(name: str, uid: str, **more: Any) -> dict[str, Any]:
    made = {"name": name, "namespace": "shop", "uid": uid, "creationTimestamp": "2026-01-31T12:00:00Z"}
    return {**made, **more}


def _change(kind: Kind, item: dict[str, Any]) -> Change:
    return Change(kind, (item["metadata"].get("namespace", ""), item["metadata"]["name"]), item)


def _ip(network: str, number: int) -> str:
    return str(ipaddress.ip_address(network) + number)


def pod(number: int, generation: int = 0) -> Change:
    """A pod of one of the services' deployments; another generation is another pod with the same address."""
    service = number % SERVICES
    name = f"orders-{service}-{generation:x}-{number}"
    owner = {"kind": "ReplicaSet", "name": f"orders-{service}-7d9f", "uid": f"rs-{service}", "controller": True}
    labels = {"app": f"orders-{service}", "version": f"1.{generation}"}
    item = {
        "metadata": _meta(name, f"pod-{number}-{generation}", labels=labels, ownerReferences=[owner]),
        "spec": {
            "nodeName": f"node-{number % NODES}",
            "containers": [{"name": "app", "ports": [{"containerPort": 8080}]}],
        },
        "status": {
            "phase": "Running",
            "startTime": "2026-01-31T12:00:00Z",
            "podIPs": [{"ip": _ip("10.0.0.1", number)}],
            "hostIPs": [{"ip": _ip("172.16.0.1", number % NODES)}],
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }
    return _change(kinds.POD, item)


def part(service: int, generations: dict[int, int]) -> Change:
    """The endpoint slice of a service."""
    members = range(service, PODS, SERVICES)
    names = [f"orders-{service}-{generations.get(n, 0):x}-{n}" for n in members]
    ends = [{"addresses": [], "targetRef": {"kind": "Pod", "name": name}} for name in names]
    meta = _meta(f"orders-{service}-x", f"slice-{service}", labels={"kubernetes.io/service-name": f"orders-{service}"})
    item = {"metadata": meta, "addressType": "IPv4", "endpoints": ends, "ports": [{"port": 8080}]}
    return _change(kinds.ENDPOINT_SLICE, item)


def cluster() -> Iterator[Change]:
    """All of it, in the order of a collector's first lists."""
    for number in range(NODES):
        meta = {"name": f"node-{number}", "uid": f"node-{number}"}
        addresses = [{"type": "InternalIP", "address": _ip("172.16.0.1", number)}]
        item = {"metadata": meta, "spec": {}, "status": {"addresses": addresses}}
        yield Change(kinds.NODE, ("", meta["name"]), item)
    for number in range(SERVICES):
        owner = {"kind": "Deployment", "name": f"orders-{number}", "uid": f"d-{number}", "controller": True}
        made = {"metadata": _meta(f"orders-{number}-7d9f", f"rs-{number}", ownerReferences=[owner])}
        yield _change(kinds.REPLICA_SET, made)
        spec = {
            "selector": {"app": f"orders-{number}"},
            "clusterIPs": [_ip("10.96.0.1", number)],
            "ports": [{"port": 80}],
        }
        yield _change(kinds.SERVICE, {"metadata": _meta(f"orders-{number}", f"svc-{number}"), "spec": spec})
    for number in range(PODS):
        yield pod(number)
    for number in range(SERVICES):
        yield part(number, {})


def changes(generations: dict[int, int]) -> tuple[Change, Change, Change]:
    """A pod goes and another takes its place and its address."""
    number = random.randrange(PODS)
    old = pod(number, generations.get(number, 0))
    generations[number] = generations.get(number, 0) + 1
    gone = Change(old.kind, old.key, None)
    return gone, pod(number, generations[number]), part(number % SERVICES, generations)


def rollout(names: ClusterNames, generations: dict[int, int], at: int) -> None:
    """Has the names take such changes in."""
    for number, change in enumerate(changes(generations)):
        names.apply(change, at + number)


def batch(at: int) -> pa.RecordBatch:
    """Records between any pods, half of them by the services' addresses."""
    word = pa.dictionary(pa.int32(), pa.utf8())
    rng = np.random.default_rng(at)
    src = [_ip("10.0.0.1", int(n)) for n in rng.integers(0, PODS, RECORDS)]
    direct = [_ip("10.0.0.1", int(n)) for n in rng.integers(0, PODS, RECORDS // 2)]
    virtual = [_ip("10.96.0.1", int(n)) for n in rng.integers(0, SERVICES, RECORDS // 2)]
    columns = {
        "time": pa.array(np.full(RECORDS, at), TIME),
        "src_ip": pa.array(src).dictionary_encode().cast(word),
        "src_port": pa.array(rng.integers(32768, 60999, RECORDS), pa.uint16()),
        "dst_ip": pa.array(direct + virtual).dictionary_encode().cast(word),
        "dst_port": pa.array([8080] * (RECORDS // 2) + [80] * (RECORDS // 2), pa.uint16()),
    }
    return pa.record_batch(columns)


def naming() -> dict[str, float]:
    """A second of changes, then a batch, again and again."""
    identity = Identity()
    names = ClusterNames(identity)
    for change in cluster():
        names.apply(change, BEGUN)
    generations: dict[int, int] = {}
    took, changing, first = [], [], 0
    for number in range(ROUNDS):
        at = BEGUN + (number + 1) * 1_000_000_000
        begun = time.perf_counter()
        for _ in range(PER_SECOND // 3 + 1):
            rollout(names, generations, at)
        changing.append((time.perf_counter() - begun) * 1000 / (3 * (PER_SECOND // 3 + 1)))
        records = batch(at + 500_000_000)
        first = first or len({ip for end in ("src_ip", "dst_ip") for ip in records[end].dictionary.to_pylist()})
        begun = time.perf_counter()
        identity.ends(records)
        took.append((time.perf_counter() - begun) * 1000 / (RECORDS / 1000))
    return {
        "first": took[0],
        "addresses": first,
        "median": statistics.median(took[1:]),
        "slowest": max(took[SETTLED:]),
        "change": max(changing),
    }


def targets() -> dict[str, float]:
    """Milliseconds from a change that the names took in to what agents are told, by the words of the selection."""
    names = ClusterNames(Identity())
    by_words = {
        words: Tapped(Selection((words,) if words else ()), names) for words in ("svc/orders-7", "^ord.*-7", "")
    }
    for change in cluster():
        names.apply(change, BEGUN)
        for tapped in by_words.values():
            tapped.apply(change)
    took: dict[str, list[float]] = {words: [] for words in by_words}
    generations: dict[int, int] = {}
    for number in range(ROUNDS):
        for change in changes(generations):
            names.apply(change, BEGUN + number + 1)
            for words, tapped in by_words.items():
                begun = time.perf_counter()
                tapped.apply(change)
                tapped.targets()
                took[words].append((time.perf_counter() - begun) * 1000)
    return {words: max(each[1:]) for words, each in took.items()}


def _whole(change: Change) -> Change:
    """With what a pod has besides, which nobody here looks at: some 6 KB."""
    if change.kind is kinds.POD and change.item is not None:
        meta = change.item["metadata"]
        meta["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "x" * 1500}
        meta["managedFields"] = [{"manager": m, "fieldsV1": {f"f:{n}": {} for n in range(100)}} for m in ("a", "b")]
        env = [{"name": f"NAME_{n}", "value": f"value of {n}"} for n in range(30)]
        change.item["spec"]["containers"][0] |= {"image": "orders:1", "env": env}
    return change


async def serve(config: Path) -> None:
    """In the place of an API server: has all objects, and once they are followed a minute of changes."""
    server = WatchServer()
    for change in cluster():
        server.apply(_whole(change))
    async with serving(server.answer) as port:
        written(config, f"https://127.0.0.1:{port}")
        sys.stdout.write("\n")
        sys.stdout.flush()
        await server.watched(len(WATCHED) + 1)
        generations: dict[int, int] = {}
        for _ in range(MINUTE):
            for change in changes(generations):
                server.apply(_whole(change))
            await asyncio.sleep(0)
        server.apply(_whole(pod(PODS)))  # one more: it is over
        await asyncio.Event().wait()


async def memory(config: str) -> None:
    """A collector as in a cluster, which hears all objects and a minute of changes."""
    from tapper.collector.collector import Collector, Options
    from tapper.collector.incluster import Names

    heard = asyncio.Event()
    async with Collector(Options(token="t")) as collector, connect(Access(config)) as there:

        def tapped(targets: tuple[Target, ...]) -> None:
            collector.set_targets(targets)
            if len(targets) > PODS:
                heard.set()

        following = asyncio.create_task(Following(there, Selection(), Names(collector), tapped).run())
        await heard.wait()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        asyncio.run(serve(Path(sys.argv[2])))
    elif sys.argv[1] == "memory":
        asyncio.run(memory(sys.argv[2]))
    else:
        json.dump({"naming": naming, "targets": targets}[sys.argv[1]](), sys.stdout)

"""A namespace in the cluster of KUBECONFIG with what the story needs."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import secrets
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from tapper.cli.cluster_options import default_image
from tapper.kube import kinds
from tapper.kube.connect import Access, connect

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from tapper.kube.cluster import Cluster

    _Result = TypeVar("_Result")

IMAGE = os.environ.get("TAPPER_IMAGE") or default_image()
"""tapper's own has Python and is on the nodes: the story's servers and clients run in it too."""
SERVER = "import http.server as h; h.ThreadingHTTPServer(('', {port}), h.SimpleHTTPRequestHandler).serve_forever()"
CLIENT = """
import time, urllib.request
while True:
    try:
        urllib.request.urlopen({url!r}, timeout=2).read()
    except OSError:
        pass
    time.sleep(0.2)
"""
COUNTING = """
import signal, time, urllib.request
for number in range({begin}, {end}):
    while True:
        try:
            urllib.request.urlopen({url!r} + str(number), timeout=2).read()
            break
        except OSError:
            time.sleep(0.2)
    time.sleep(0.2)
signal.pause()
"""
CALLER = """
import threading, time, urllib.request
def call(url):
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).read()
        except Exception:
            pass
        time.sleep(0.5)
for url in {urls!r}:
    threading.Thread(target=call, args=(url,)).start()
"""


def ask(work: Callable[[Cluster], Awaitable[_Result]]) -> _Result:
    """Asks the cluster."""

    async def asked() -> _Result:
        async with connect(Access()) as cluster:
            return await work(cluster)

    return asyncio.run(asked())


def enter() -> str:
    """The program that runs a command on a node: `enter -n NODE COMMAND`; the test is skipped where there is none."""
    program = Path(os.environ.get("TAPPER_CLUSTER", "")) / "enter"
    if not program.is_absolute() or not program.exists():
        pytest.skip("needs a way into the cluster's nodes: set TAPPER_CLUSTER to the folder of scripts (tools/e2e.sh)")
    return str(program)


def until(holds: Callable[[], _Result], what: str, seconds: float = 120) -> _Result:
    """Waits for a condition; its value."""
    end = time.monotonic() + seconds
    while not (value := holds()):
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.2)
    return value


def _container(name: str, script: str, port: int | None = None) -> dict[str, Any]:
    """That runs Python; ready once it listens on the port."""
    made: dict[str, Any] = {
        "name": name,
        "image": IMAGE,
        "command": ["python3", "-c", script],
        "workingDir": "/etc",
        "securityContext": {"runAsUser": 0},
    }
    if port is not None:
        made["ports"] = [{"containerPort": port}]
        made["readinessProbe"] = {"tcpSocket": {"port": port}, "periodSeconds": 1}
    return made


class World:
    """A namespace of the test's own."""

    def __init__(self) -> None:
        self.namespace = f"e2e-{secrets.token_hex(4)}"
        nodes = ask(lambda cluster: cluster.list(kinds.NODE))
        self.nodes = [node["metadata"]["name"] for node in nodes]
        meta = {"name": self.namespace}
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})

    def apply(self, item: dict[str, Any]) -> None:
        """Makes an object, or changes it."""
        ask(lambda cluster: cluster.apply(item))

    def node_of(self, number: int) -> str:
        """Name of a node; of one that there is, where there are fewer."""
        return self.nodes[number % len(self.nodes)]

    def pod(
        self,
        name: str,
        script: str,
        *,
        node: int = 0,
        port: int | None = None,
        beside: str | None = None,
        host_network: bool = False,
        meta: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """A pod that runs Python, in two containers if there is a script `beside`; what it is once it is ready.

        `meta`: more of its metadata.
        """
        containers = [_container("main", script, port)]
        if beside is not None:
            containers.append(_container("beside", beside))
        spec = {
            "nodeName": self.node_of(node),
            "terminationGracePeriodSeconds": 0,
            "containers": containers,
            "hostNetwork": host_network,
        }
        whole = {"name": name, "namespace": self.namespace, "labels": {"app": name}, **(meta or {})}
        self.apply({"apiVersion": "v1", "kind": "Pod", "metadata": whole, "spec": spec})

        def ready() -> dict[str, Any] | None:
            found = self.look(name)
            conditions = (found or {}).get("status", {}).get("conditions", [])
            return found if any(c["type"] == "Ready" and c["status"] == "True" for c in conditions) else None

        found = until(ready, f"pod {name} is ready")
        assert found is not None
        return found

    def pod_at(self, address: str, name: str, script: str, *, node: int) -> bool:
        """Makes a pod that is to have an address which is free; whether it has, or it is removed again.

        The plugin host-local of the node's bridge gives addresses in turn, to whichever pod is next.
        """
        write = (
            f"find /run/cni /var/lib/cni -name last_reserved_ip.0 | while read -r at; do"
            f" printf %s {ipaddress.ip_address(address) - 1} > $at; done"
        )
        subprocess.run([enter(), "-n", self.node_of(node), "sh", "-c", write], check=True)
        if self.pod(name, script, node=node)["status"]["podIP"] == address:
            return True
        self.remove(name)
        return False

    def deployment(self, name: str, version: str, script: str, port: int) -> None:
        """A deployment of one pod in that version; one that is there is rolled to it."""
        labels = {"app": name, "version": version}
        # with none at all, its pods would be no objects any more while they answer yet
        pod = {"terminationGracePeriodSeconds": 1, "containers": [_container("main", script, port)]}
        template = {"metadata": {"labels": labels}, "spec": pod}
        spec = {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": template}
        meta = {"name": name, "namespace": self.namespace}
        self.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec})

    def outside(self, service: str, address: str, port: int) -> None:
        """A service that stands for an end outside of the cluster."""
        meta = {"name": service, "namespace": self.namespace}
        self.apply({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": [{"port": port}]}})
        part = {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**meta, "labels": {"kubernetes.io/service-name": service}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [address]}],
            "ports": [{"port": port}],
        }
        self.apply(part)

    def look(self, name: str) -> dict[str, Any] | None:
        """A pod as it is now."""
        return ask(lambda cluster: cluster.get(kinds.POD, name, self.namespace))

    def node_port(self, service: str) -> int:
        """The port of every node that a service has."""
        found = ask(lambda cluster: cluster.get(kinds.SERVICE, service, self.namespace))
        assert found is not None
        return int(found["spec"]["ports"][0]["nodePort"])

    def service(
        self,
        name: str,
        port: int = 80,
        *,
        of: str | None = None,
        target: int | None = None,
        meta: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        """A service for the pods of that name, or of another. `meta`: more of its metadata; `more`: of its spec."""
        spec = {"selector": {"app": of or name}, "ports": [{"port": port, "targetPort": target or port}], **more}
        whole = {"name": name, "namespace": self.namespace, **(meta or {})}
        self.apply({"apiVersion": "v1", "kind": "Service", "metadata": whole, "spec": spec})

    @contextmanager
    def extra(self, path: str, item: dict[str, Any]) -> Iterator[None]:
        """While the block runs, there is an object of a kind that tapper does not know."""
        ask(lambda cluster: cluster.create(path, item))
        try:
            yield
        finally:
            ask(lambda cluster: cluster.request("DELETE", f"{path}/{item['metadata']['name']}"))

    @contextmanager
    def beyond(self, address: str, ports: tuple[int, ...], *, node: int) -> Iterator[None]:
        """While the block runs, there are HTTP servers at an address that pods of that node reach by its routes."""
        on_node = [enter(), "-n", self.node_of(node)]
        device = ["ip", "address", "{}", f"{address}/32", "dev", "lo"]
        with ExitStack() as stack:
            subprocess.run([*on_node, *(word.format("add") for word in device)], check=True)
            stack.callback(subprocess.run, [*on_node, *(word.format("del") for word in device)], check=True)
            for port in ports:
                server = [sys.executable, "-m", "http.server", "--bind", address, "--directory", "/etc", str(port)]
                running = subprocess.Popen(
                    [*on_node, *server], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
                )
                stack.callback(running.wait)
                stack.callback(running.terminate)
            yield

    @contextmanager
    def dropped(self, address: str, port: int, *, node: int) -> Iterator[None]:
        """While the block runs, a node forwards no SYN to that address and port."""
        rule = ["FORWARD", "-p", "tcp", "-d", address, "--dport", str(port), "--syn", "-j", "DROP"]
        on_node = [enter(), "-n", self.node_of(node), "iptables", "-w"]
        subprocess.run([*on_node, "-I", *rule], check=True)
        try:
            yield
        finally:
            subprocess.run([*on_node, "-D", *rule], check=True)

    @contextmanager
    def silent(self, address: str) -> Iterator[None]:
        """While the block runs, what the nodes themselves send to that address gets no answer, not even a refusal."""
        rules = (
            ("ip", "address", "{}", f"{address}/32", "dev", "lo"),
            ("iptables", "-w", "--{}", "OUTPUT", "-d", address, "-j", "DROP"),
        )
        with ExitStack() as stack:
            for node in self.nodes:
                for add, remove, rule in zip(("add", "append"), ("del", "delete"), rules, strict=True):
                    on_node = [enter(), "-n", node, *rule]
                    subprocess.run([word.format(add) for word in on_node], check=True)
                    stack.callback(subprocess.run, [word.format(remove) for word in on_node], check=True)
            yield

    def remove(self, name: str) -> None:
        """A pod goes, and is gone."""
        ask(lambda cluster: cluster.delete(kinds.POD, name, self.namespace))
        until(lambda: self.look(name) is None, f"pod {name} is gone")

    def close(self) -> None:
        """All of it goes."""
        ask(lambda cluster: cluster.delete(kinds.NAMESPACE, self.namespace))

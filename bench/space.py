"""A namespace in the cluster of KUBECONFIG, with pods on one node."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from bench.process import FailedError, MissingError
from tapper.kube import kinds, objects
from tapper.kube.connect import Access, connect

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from tapper.kube.cluster import Cluster

    _Result = TypeVar("_Result")

PATIENCE = 180.0
SERVER = "import http.server as h; h.ThreadingHTTPServer(('', 80), h.SimpleHTTPRequestHandler).serve_forever()"
CLIENT = """
import time, urllib.request
while True:
    try:
        urllib.request.urlopen("http://simple-app/hostname", timeout=2).read()
    except OSError:
        pass
    time.sleep(0.1)
"""


def ask(work: Callable[[Cluster], Awaitable[_Result]]) -> _Result:
    """Asks the cluster."""

    async def asked() -> _Result:
        async with connect(Access()) as cluster:
            return await work(cluster)

    return asyncio.run(asked())


def until(holds: Callable[[], _Result], what: str, seconds: float = PATIENCE) -> _Result:
    """Waits for a condition; its value."""
    end = time.monotonic() + seconds
    while not (value := holds()):
        if time.monotonic() > end:
            raise FailedError(f"not within {seconds:g} s: {what}")
        time.sleep(0.3)
    return value


@dataclass
class Space:
    """A namespace with pods on one node."""

    name: str
    node: str
    image: str

    def apply(self, item: dict[str, Any]) -> None:
        """Makes an object."""
        ask(lambda cluster: cluster.apply(item))

    def service(self, name: str) -> None:
        """Makes one for the pod of that name, port 80."""
        meta = {"name": name, "namespace": self.name}
        spec = {"selector": {"app": name}, "ports": [{"port": 80}]}
        self.apply({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec})

    def pod(self, name: str, *command: str) -> None:
        """Makes a pod; does not wait for it."""
        container = {
            "name": "main",
            "image": self.image,
            "command": list(command),
            "workingDir": "/etc",
            "securityContext": {"runAsUser": 0},
        }
        spec = {"nodeName": self.node, "terminationGracePeriodSeconds": 0, "containers": [container]}
        meta = {"name": name, "namespace": self.name, "labels": {"app": name}}
        self.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})

    def delete(self, name: str) -> None:
        """Ends a pod; does not wait for it."""
        ask(lambda cluster: cluster.delete(kinds.POD, name, self.name))

    def pods(self) -> dict[str, objects.Pod]:
        """Those that are there, by name."""
        return {p.name: p for p in map(objects.pod, ask(lambda cluster: cluster.list(kinds.POD, self.name)))}

    def ready(self) -> int:
        """How many are."""
        return sum(pod.ready for pod in self.pods().values())


@contextmanager
def space(prefix: str) -> Iterator[Space]:
    """While the block runs, there is one."""
    from tapper.cli.cluster_options import default_image

    if not os.environ.get("KUBECONFIG"):
        raise MissingError("needs a Kubernetes cluster with tapper's image on its nodes: set KUBECONFIG")
    node = sorted(item["metadata"]["name"] for item in ask(lambda cluster: cluster.list(kinds.NODE)))[-1]
    made = Space(f"{prefix}-{secrets.token_hex(4)}", node, os.environ.get("TAPPER_IMAGE") or default_image())
    made.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": made.name}})
    try:
        yield made
    finally:
        ask(lambda cluster: cluster.delete(kinds.NAMESPACE, made.name))

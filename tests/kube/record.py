"""Records what the API server tells of a small rollout, for the tests of naming: `python -m tests.kube.record FILE`.

Needs a cluster (KUBECONFIG) and the image that IMAGE names, with python3. Makes a namespace and removes it again.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from tapper.cli.cluster_options import default_image
from tapper.kube import kinds
from tapper.kube.connect import Access, connect
from tapper.kube.watching import Change, Watcher

IMAGE = os.environ.get("IMAGE") or default_image()
SPACE = "recorded"
FOLLOWED = (kinds.POD, kinds.SERVICE, kinds.ENDPOINT_SLICE, kinds.NODE, kinds.REPLICA_SET)


def meta(kind: str, name: str, version: str = "v1", **labels: str) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": SPACE, "labels": labels}}


def container(name: str = "app", port: int = 80) -> dict[str, Any]:
    command = ["python3", "-m", "http.server", str(port)]
    return {"name": name, "image": IMAGE, "command": command, "ports": [{"containerPort": port}]}


def pod(name: str, *containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    grace = {"terminationGracePeriodSeconds": 0}
    return {**meta("Pod", name, app=name), "spec": {"containers": list(containers or (container(),)), **grace, **spec}}


def service(name: str, app: str, port: int, target: int, **spec: Any) -> dict[str, Any]:
    ports = [{"port": port, "targetPort": target}]
    return {**meta("Service", name), "spec": {"selector": {"app": app}, "ports": ports, **spec}}


def deployment(name: str, version: str, replicas: int = 2) -> dict[str, Any]:
    labels = {"app": name, "app.kubernetes.io/version": version}
    spec = {"containers": [container(port=8080)], "terminationGracePeriodSeconds": 0}
    template = {"metadata": {"labels": labels}, "spec": spec}
    return {
        **meta("Deployment", name, "apps/v1"),
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template},
    }


async def record(path: Path) -> None:
    async with connect(Access()) as cluster:
        with path.open("w") as file:

            def heard(change: Change) -> None:
                item = {
                    "at": time.time_ns(),
                    "kind": change.kind.name,
                    "key": change.key,
                    "item": change.item,
                }
                (change.item or {}).get("metadata", {}).pop("managedFields", None)
                file.write(json.dumps(item) + "\n")

            spaces = {kind: SPACE if kind.namespaced else None for kind in FOLLOWED}
            watchers = [Watcher(cluster, k, s, heard, listed=asyncio.Event()) for k, s in spaces.items()]
            space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}}
            await cluster.apply(space)
            tasks = [asyncio.create_task(watcher.run()) for watcher in watchers]
            for watcher in watchers:
                await watcher.listed.wait()
            try:
                await steps(cluster)
            finally:
                for task in tasks:
                    task.cancel()
                await cluster.delete(kinds.NAMESPACE, SPACE)


async def steps(cluster: Any) -> None:
    async def ready(count: int, **labels: str) -> None:
        selector = ",".join(f"{k}={v}" for k, v in labels.items())
        while True:
            items = await cluster.list(kinds.POD, SPACE, selector)
            states = [c.get("ready") for i in items for c in (i["status"].get("containerStatuses") or [{}])]
            if len(items) == count and states and all(states):
                return
            await asyncio.sleep(0.2)

    async def note(step: str) -> None:
        """Marks the place in the stream."""
        await cluster.apply(
            {**meta("Service", "step"), "spec": {"type": "ExternalName", "externalName": f"{step}.step"}}
        )
        await asyncio.sleep(0.3)

    await cluster.apply(pod("simple-app"))
    await ready(1, app="simple-app")
    await note("pod")
    await cluster.apply(service("simple-app", "simple-app", 80, 80))
    await cluster.apply(service("simple-app-headless", "simple-app", 80, 80, clusterIP="None"))
    await note("service")
    await cluster.apply(pod("pair", container("front", 8080), container("back", 9090)))
    await cluster.apply(pod("host", container(port=7777), hostNetwork=True))
    await cluster.apply(deployment("orders", "1.0"))
    await cluster.apply(service("orders", "orders", 80, 8080, type="NodePort"))
    await ready(2, app="orders")
    await ready(1, app="pair")
    await ready(1, app="host")
    await note("deployment")
    await cluster.apply(deployment("orders", "2.0"))
    await ready(2, **{"app": "orders", "app.kubernetes.io/version": "2.0"})
    await ready(2, app="orders")
    await note("rollout")
    await cluster.delete(kinds.POD, "simple-app", SPACE)
    while await cluster.get(kinds.POD, "simple-app", SPACE):
        await asyncio.sleep(0.2)
    await note("deleted")


if __name__ == "__main__":
    asyncio.run(record(Path(sys.argv[1])))

"""Something to tap on every node, to see whether tapping works there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tapper.kube import kinds
from tapper.kube.placement import AGENT, object_of
from tapper.kube.selection import Selection
from tapper.kube.workloads import USER, pods

if TYPE_CHECKING:
    from tapper.kube.placement import Placement

    Object = dict[str, Any]

PROBE = "tapper-probe"
PORT = 8081


def probe(placement: Placement) -> Object:
    """A web server on every node that its kubelet asks each second: something to tap, to see whether tapping works."""
    server = "import http.server as h; h.ThreadingHTTPServer(('', {}), h.SimpleHTTPRequestHandler).serve_forever()"
    container = {
        "name": "probe",
        "command": ["python3", "-c", server.format(PORT)],
        "workingDir": "/tmp",  # noqa: S108 -- in the container, and empty
        "readinessProbe": {"httpGet": {"path": "/", "port": PORT}, "periodSeconds": 1},
        "resources": {"limits": {"cpu": "100m", "memory": "64Mi"}},
        "securityContext": {
            "runAsUser": USER,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    pod = {"automountServiceAccountToken": False, "tolerations": [{"operator": "Exists"}]}
    made = pods(placement, PROBE, AGENT, container, pod)
    for part in (made["spec"]["containers"][0]["volumeMounts"], made["spec"]["volumes"]):
        del part[0]  # the keys
    spec = {"selector": {"matchLabels": placement.labels(PROBE)}, "template": made}
    return object_of(kinds.DAEMON_SET, PROBE, placement, component=PROBE, spec=spec)


def probes(namespace: str) -> Selection:
    """To tap the probes of a tap's namespace, and nothing else."""
    return Selection((f"ds/{PROBE}",), (namespace,), own=True)

"""The pods that are placed: the collector's deployment and service, the agents' daemon set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tapper.kube import kinds
from tapper.kube.placement import AGENT, API_PORT, COLLECTOR, INGEST_PORT, object_of

if TYPE_CHECKING:
    from tapper.kube.placement import Placement

    Object = dict[str, Any]

USER = 65532  # nobody in particular
BUDGET = 0.8
"""Of the memory that an agent may use, the part that it plans with."""
_UNITS = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "k": 10**3, "M": 10**6, "G": 10**9}
CAPABILITIES = ["NET_RAW", "SYS_ADMIN", "SYS_PTRACE"]
"""To open packet sockets, to enter network namespaces, to find them by other users' processes."""


def service(placement: Placement) -> Object:
    """By which agents find the collector."""
    port = {"name": "ingest", "port": INGEST_PORT, "targetPort": "ingest", "protocol": "TCP"}
    # agents try until it listens; to wait for its probe and for all nodes' routes to it would cost seconds
    spec = {"selector": placement.labels("collector"), "ports": [port], "publishNotReadyAddresses": True}
    return object_of(kinds.SERVICE, COLLECTOR, placement, spec=spec)


def collector(placement: Placement) -> Object:
    """Its deployment."""
    container = {
        "name": "collector",
        "args": [
            "collector",
            "--in-cluster=/etc/tapper",
            f"--listen=0.0.0.0:{INGEST_PORT}",
            f"--api-listen=127.0.0.1:{API_PORT}",
            "--save=/var/lib/tapper/session.tap",
        ],
        "ports": [{"name": "ingest", "containerPort": INGEST_PORT, "protocol": "TCP"}],
        "readinessProbe": {"tcpSocket": {"port": "ingest"}, "periodSeconds": 1, "failureThreshold": 3},
        # what it uses depends on what is asked of it; its memory is its own, or the kernel would end it first
        "resources": {
            "requests": {"cpu": "250m", "memory": placement.collector_memory},
            "limits": {"cpu": placement.collector_cpu, "memory": placement.collector_memory},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    pod = {
        "automountServiceAccountToken": True,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    running = pods(placement, "collector", COLLECTOR, container, pod)
    spec = {
        "replicas": 1,
        "strategy": {"type": "Recreate"},
        "selector": {"matchLabels": placement.labels("collector")},
        "template": running,
    }
    return object_of(kinds.DEPLOYMENT, COLLECTOR, placement, component="collector", spec=spec)


def agent(placement: Placement) -> Object:
    """The daemon set of agents."""
    amounts = {"cpu": placement.agent_cpu, "memory": placement.agent_memory}
    container = {
        "name": "agent",
        "args": [
            "agent",
            f"--collector=https://{placement.host}:{INGEST_PORT}",
            "--token-file=/etc/tapper/agent-token",
            "--ca=/etc/tapper/ca.crt",
            "--certificate=/etc/tapper/tls.pem",
            "--name=$(NODE_NAME)",
            "--node=$(NODE_NAME)",
            f"--cpu={_cores(placement.agent_cpu):g}",
            f"--memory={int(_bytes(placement.agent_memory) * BUDGET)}",
            "--spool=256M",
            "--spool-dir=/var/lib/tapper",
        ],
        "env": [{"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "resources": {"requests": amounts, "limits": dict(amounts)},
        "securityContext": {
            "runAsUser": 0,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"], "add": CAPABILITIES},
            "seccompProfile": {"type": "RuntimeDefault"},  # which allows setns to those with SYS_ADMIN
            # profiles of containers forbid to look into the processes of others
            "appArmorProfile": {"type": "Unconfined"},
            "seLinuxOptions": {"type": "spc_t"},
        },
    }
    pod = {
        "hostPID": True,
        "automountServiceAccountToken": False,
        "tolerations": [{"operator": "Exists"}],
    }
    running = pods(placement, "agent", AGENT, container, pod)
    spec = {
        "selector": {"matchLabels": placement.labels("agent")},
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "100%"}},
        "template": running,
    }
    return object_of(kinds.DAEMON_SET, AGENT, placement, component="agent", spec=spec)


def pods(placement: Placement, component: str, secret: str, container: Object, pod: Object) -> Object:
    """A template of pods of one container."""
    arch = {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64", "arm64"]}
    mounts = [
        {"name": "keys", "mountPath": "/etc/tapper", "readOnly": True},
        {"name": "data", "mountPath": "/var/lib/tapper"},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108
    ]
    policy = {"imagePullPolicy": placement.pull_policy} if placement.pull_policy else {}
    secrets = {"imagePullSecrets": [{"name": n} for n in placement.pull_secrets]} if placement.pull_secrets else {}
    spec = {
        "serviceAccountName": secret,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 1 if placement.temporary else 10,  # what a tap has is gone with it
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [arch]}]}
            }
        },
        **pod,
        **secrets,
        "containers": [
            {
                **container,
                "image": placement.image,
                **policy,
                "volumeMounts": mounts,
                "terminationMessagePolicy": "FallbackToLogsOnError",  # so that why it ended is told to who waits
            }
        ],
        "volumes": [
            {"name": "keys", "secret": {"secretName": secret, "defaultMode": 0o440}},
            {"name": "data", "emptyDir": {"sizeLimit": placement.disk}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}},
        ],
    }
    return {"metadata": {"labels": placement.labels(component)}, "spec": spec}


def _cores(text: str) -> float:
    """Of Kubernetes' `500m` or `1.5`."""
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text)


def _bytes(text: str) -> int:
    """Of Kubernetes' `256Mi`, `1Gi`, `500M`."""
    for suffix, factor in _UNITS.items():
        if text.endswith(suffix):
            return int(float(text.removesuffix(suffix)) * factor)
    return int(text)

"""What is placed in the cluster, as objects: the same for a tap, for `tapper install`, and for the files in manifests/.

Everything is in one namespace or (as owner references say) belongs to it: deleting that namespace removes it all.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tapper.kube import kinds
from tapper.kube.selection import Selection

if TYPE_CHECKING:
    from tapper.kube.credentials import Credentials
    from tapper.kube.kinds import Kind

    Object = dict[str, Any]

NAME = "tapper"
COLLECTOR, AGENT = "tapper-collector", "tapper-agent"
INGEST_PORT = 8443
API_PORT = 8080  # on the pod's loopback only: it is reached through the API server
MANAGED = f"app.kubernetes.io/managed-by={NAME}"
USER = 65532  # nobody in particular
WATCHED = (kinds.POD, kinds.SERVICE, kinds.ENDPOINT_SLICE, kinds.REPLICA_SET, kinds.JOB)
"""What the collector follows to know names; and nodes."""
READ = ["get", "list", "watch"]

BUDGET = 0.8
"""Of the memory that an agent may use, the part that it plans with."""
_UNITS = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "k": 10**3, "M": 10**6, "G": 10**9}
CAPABILITIES = ["NET_RAW", "SYS_ADMIN", "SYS_PTRACE"]
"""To open packet sockets, to enter network namespaces, to find them by other users' processes."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to record, as the collector tells its agents."""

    redact: bool = True
    redact_names: tuple[str, ...] = ()
    bodies: bool = True
    body_limit: int = 65_536


@dataclass(frozen=True, slots=True)
class Placement:
    """What to place, and how."""

    session: str
    image: str
    selection: Selection = field(default_factory=Selection)
    temporary: bool = True
    """Whether the collector removes all when nobody has asked it anything for a minute."""
    settings: Settings = field(default_factory=Settings)
    pull_policy: str | None = None
    pull_secrets: tuple[str, ...] = ()
    agent_cpu: str = "500m"
    agent_memory: str = "256Mi"
    collector_cpu: str = "2"
    collector_memory: str = "1Gi"
    disk: str = "4Gi"

    @property
    def namespace(self) -> str:
        """Its own."""
        return NAME if self.session == NAME else f"{NAME}-{self.session}"

    @property
    def host(self) -> str:
        """By which agents call the collector."""
        return f"{COLLECTOR}.{self.namespace}.svc"

    def labels(self, component: str | None = None) -> dict[str, str]:
        """Of every object."""
        more = {"app.kubernetes.io/component": component} if component else {}
        return {
            "app.kubernetes.io/name": NAME,
            "app.kubernetes.io/instance": self.session,
            "app.kubernetes.io/managed-by": NAME,
            **more,
        }


def namespace(placement: Placement) -> Object:
    """The namespace. The agent needs what only the privileged pod-security level allows: hostPID and capabilities."""
    item = object_of(kinds.NAMESPACE, placement.namespace, placement, namespaced=False)
    for mode in ("enforce", "audit", "warn"):
        item["metadata"]["labels"][f"pod-security.kubernetes.io/{mode}"] = "privileged"
    return item


def objects(placement: Placement, credentials: Credentials, namespace_uid: str | None = None) -> list[Object]:
    """All others. `namespace_uid`: what the cluster-scoped ones belong to; None: to nothing (manifests)."""
    made = [
        object_of(kinds.SERVICE_ACCOUNT, COLLECTOR, placement, automountServiceAccountToken=False),
        object_of(kinds.SERVICE_ACCOUNT, AGENT, placement, automountServiceAccountToken=False),
        *_rights(placement),
        *_secrets(placement, credentials),
        _service(placement),
        _collector(placement),
        _agent(placement),
    ]
    if namespace_uid is not None:
        owner = {"apiVersion": "v1", "kind": "Namespace", "name": placement.namespace, "uid": namespace_uid}
        for item in made:
            if item["metadata"].get("namespace") != placement.namespace:
                item["metadata"]["ownerReferences"] = [owner]
    return made


def rules(kinds_read: tuple[Kind, ...]) -> list[Object]:
    """The right to follow these kinds, and no more."""
    groups: dict[str, list[str]] = {}
    for kind in kinds_read:
        groups.setdefault(kind.group, []).append(kind.plural)
    return [{"apiGroups": [group], "resources": plurals, "verbs": READ} for group, plurals in groups.items()]


def _rights(placement: Placement) -> list[Object]:
    everywhere = placement.selection.namespaces is None
    role = object_of(kinds.CLUSTER_ROLE, placement.namespace, placement, namespaced=False)
    role["rules"] = rules((kinds.NODE, *WATCHED) if everywhere else (kinds.NODE,))
    if placement.temporary:
        own = {"apiGroups": [""], "resources": ["namespaces"], "resourceNames": [placement.namespace]}
        role["rules"].append({**own, "verbs": ["delete"]})
    made = [role, _binding(kinds.CLUSTER_ROLE_BINDING, kinds.CLUSTER_ROLE, placement, None)]
    for name in placement.selection.namespaces or ():
        within = object_of(kinds.ROLE, placement.namespace, placement, namespace=name)
        within["rules"] = rules(WATCHED)
        made += [within, _binding(kinds.ROLE_BINDING, kinds.ROLE, placement, name)]
    return made


def _binding(kind: Kind, role: Kind, placement: Placement, within: str | None) -> Object:
    item = object_of(kind, placement.namespace, placement, namespaced=within is not None, namespace=within)
    item["roleRef"] = {"apiGroup": role.group, "kind": role.name, "name": placement.namespace}
    item["subjects"] = [{"kind": "ServiceAccount", "name": COLLECTOR, "namespace": placement.namespace}]
    return item


def _secrets(placement: Placement, keys: Credentials) -> list[Object]:
    config = {
        "selection": placement.selection.document(),
        "temporary": placement.temporary,
        "redact": placement.settings.redact,
        "redact_names": list(placement.settings.redact_names),
        "bodies": placement.settings.bodies,
        "body_limit": placement.settings.body_limit,
        "redact_key": keys.redact_key,
    }
    collector = {
        "ca.crt": keys.authority,
        "tls.crt": keys.collector_certificate,
        "tls.key": keys.collector_key,
        "agent-token": keys.agent_token,
        "api-token": keys.api_token,
        "tap.json": json.dumps(config),
    }
    agent = {
        "ca.crt": keys.authority,
        "tls.pem": keys.agent_certificate + keys.agent_key,
        "agent-token": keys.agent_token,
    }
    return [
        object_of(kinds.SECRET, name, placement, type="Opaque", stringData=data, immutable=placement.temporary)
        for name, data in ((COLLECTOR, collector), (AGENT, agent))
    ]


def _service(placement: Placement) -> Object:
    port = {"name": "ingest", "port": INGEST_PORT, "targetPort": "ingest", "protocol": "TCP"}
    # agents try until it listens; to wait for its probe and for all nodes' routes to it would cost seconds
    spec = {"selector": placement.labels("collector"), "ports": [port], "publishNotReadyAddresses": True}
    return object_of(kinds.SERVICE, COLLECTOR, placement, spec=spec)


def _collector(placement: Placement) -> Object:
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
            "requests": {"cpu": "100m", "memory": placement.collector_memory},
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


def _agent(placement: Placement) -> Object:
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


def object_of(
    kind: Kind,
    name: str,
    placement: Placement,
    *,
    namespaced: bool = True,
    namespace: str | None = None,
    component: str | None = None,
    **content: Any,
) -> Object:
    """An object of a placement, by default in its namespace."""
    meta: Object = {"name": name, "labels": placement.labels(component)}
    if namespaced:
        meta["namespace"] = namespace or placement.namespace
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": meta, **content}

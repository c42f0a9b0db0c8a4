"""What is to be placed in a cluster, and how: by a tap, by `tapper install`, in the files of manifests/."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tapper.kube import kinds
from tapper.kube.selection import Selection

if TYPE_CHECKING:
    from tapper.kube.kinds import Kind

    Object = dict[str, Any]

NAME = "tapper"
COLLECTOR, AGENT = "tapper-collector", "tapper-agent"
INGEST_PORT = 8443
API_PORT = 8080  # on the pod's loopback only: it is reached through the API server
SESSION = "tapper.dev/session"
"""Label of all that is placed, with the session's name: Helm writes its own name into `managed-by`."""
WATCHED = (kinds.POD, kinds.SERVICE, kinds.ENDPOINT_SLICE, kinds.REPLICA_SET, kinds.JOB)
"""What the collector follows to know names; and nodes."""
READ = ["get", "list", "watch"]


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
    meta: Object = {"name": name, "labels": {**placement.labels(component), SESSION: placement.session}}
    if namespaced:
        meta["namespace"] = namespace or placement.namespace
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": meta, **content}

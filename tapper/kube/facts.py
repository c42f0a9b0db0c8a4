"""The few facts of a cluster's objects that names and targets are made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Owner:
    """Who made an object."""

    kind: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Container:
    """A container and the ports it says to serve."""

    name: str
    ports: tuple[int, ...]
    host_ports: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod."""

    uid: str
    namespace: str
    name: str
    labels: dict[str, str]
    owner: Owner | None
    node: str | None
    host_network: bool
    ips: tuple[str, ...]
    host_ips: tuple[str, ...]
    containers: tuple[Container, ...]
    version: str | None
    start: int | None
    """When the node took it, ns."""
    finished: bool
    """Its containers ended for good, its address is free."""
    ready: bool
    waiting: str | None
    """Why a container does not run, in the cluster's words."""

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.namespace, self.name

    @property
    def scope(self) -> str:
        """As its source is called: what 127.0.0.1 means is asked within it."""
        return f"{self.namespace}/{self.name}"

    @property
    def ports(self) -> tuple[int, ...]:
        """Those that its containers say to serve, in order."""
        return tuple(sorted({port for container in self.containers for port in container.ports}))

    @property
    def apart(self) -> bool:
        """Whether its packets can be told from the node's others: it has a network of its own, or ports to go by."""
        return not self.host_network or bool(self.ports)


@dataclass(frozen=True, slots=True)
class Service:
    """A service."""

    uid: str
    namespace: str
    name: str
    selector: dict[str, str]
    ips: tuple[str, ...]
    """Its own in the cluster; none: it is headless or a name for an outside one."""
    outer_ips: tuple[str, ...]
    """Of load balancers and the like, on its ports only."""
    ports: tuple[int, ...]
    node_ports: tuple[int, ...]
    start: int | None

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.namespace, self.name


@dataclass(frozen=True, slots=True)
class Slice:
    """Some endpoints of a service."""

    namespace: str
    name: str
    service: str
    ports: tuple[int, ...]
    pods: tuple[str, ...]
    """Names of those that are pods (of the same namespace)."""
    addresses: tuple[str, ...]
    """Of the others."""
    start: int | None

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.namespace, self.name


@dataclass(frozen=True, slots=True)
class Node:
    """A node."""

    name: str
    ips: tuple[str, ...]
    gateways: tuple[str, ...]
    """First addresses of its pods' networks: with bridges they are the node's own."""

    @property
    def key(self) -> tuple[str, str]:
        """No namespace, and the name."""
        return "", self.name


@dataclass(frozen=True, slots=True)
class Made:
    """Something that makes pods and was itself made: a replica set of a deployment, a job of a cron job."""

    uid: str
    namespace: str
    name: str
    owner: Owner | None

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.namespace, self.name

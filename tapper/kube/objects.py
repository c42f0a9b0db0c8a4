"""The few facts that are read of the cluster's objects, taken out of their JSON.

Whoever may make objects may put anything in them: what is not of its form is left out, never an error.
"""

from __future__ import annotations

import ipaddress
import sys
from datetime import UTC, datetime
from typing import Any

from tapper.identity.names import MAX_NAME
from tapper.kube.facts import Container, Made, Node, Owner, Pod, Service, Slice

Json = dict[str, Any]

MAX_PORTS = 256  # of one pod or service; the API's own examples have a handful
MAX_ENDPOINTS = 1000  # of one slice, as the API server holds it

_VERSION_LABELS = ("app.kubernetes.io/version", "version", "pod-template-hash", "controller-revision-hash")


def key(item: Json) -> tuple[str, str]:
    """Namespace ("" without one) and name of any object."""
    meta = _dict(item.get("metadata"))
    return _name(meta.get("namespace")) or "", _name(meta.get("name")) or ""


def pod(item: Json) -> Pod:
    """From the API's Pod."""
    meta, spec, status = (_dict(item.get(part)) for part in ("metadata", "spec", "status"))
    namespace, name = key(item)
    labels = _labels(meta.get("labels"))
    containers = tuple(_container(c) for c in (*_list(spec.get("containers")), *_sidecars(spec)))
    states = [_dict(s) for s in _list(status.get("containerStatuses"))]
    return Pod(
        uid=str(meta.get("uid") or ""),
        namespace=namespace,
        name=name,
        labels=labels,
        owner=_owner(meta),
        node=_name(spec.get("nodeName")),
        host_network=spec.get("hostNetwork") is True,
        ips=_addresses([*(_dict(i).get("ip") for i in _list(status.get("podIPs"))), status.get("podIP")]),
        host_ips=_addresses([*(_dict(i).get("ip") for i in _list(status.get("hostIPs"))), status.get("hostIP")]),
        containers=containers,
        version=_version(labels, spec),
        start=moment(status.get("startTime")),
        finished=status.get("phase") in ("Succeeded", "Failed"),
        ready=is_ready(item),
        waiting=_waiting(status, states),
    )


def service(item: Json) -> Service:
    """From the API's Service."""
    meta, spec, status = (_dict(item.get(part)) for part in ("metadata", "spec", "status"))
    namespace, name = key(item)
    ports = [_dict(p) for p in _list(spec.get("ports"))[:MAX_PORTS]]
    balancers = [_dict(i).get("ip") for i in _list(_dict(status.get("loadBalancer")).get("ingress"))]
    return Service(
        uid=str(meta.get("uid") or ""),
        namespace=namespace,
        name=name,
        selector=_labels(spec.get("selector")),
        ips=_addresses([*_list(spec.get("clusterIPs")), spec.get("clusterIP")]),
        outer_ips=_addresses([*_list(spec.get("externalIPs")), *balancers, spec.get("loadBalancerIP")]),
        ports=_ports(p.get("port") for p in ports),
        node_ports=_ports(p.get("nodePort") for p in ports),
        start=moment(meta.get("creationTimestamp")),
    )


def endpoint_slice(item: Json) -> Slice:
    """From the API's EndpointSlice."""
    meta = _dict(item.get("metadata"))
    namespace, name = key(item)
    pods: list[str] = []
    others: list[Any] = []
    for endpoint in _list(item.get("endpoints"))[:MAX_ENDPOINTS]:
        target = _dict(_dict(endpoint).get("targetRef"))
        pod_name = _name(target.get("name")) if target.get("kind") == "Pod" else None
        if pod_name is not None:
            pods.append(pod_name)
        else:
            others += _list(_dict(endpoint).get("addresses"))
    return Slice(
        namespace=namespace,
        name=name,
        service=_name(_labels(meta.get("labels")).get("kubernetes.io/service-name")) or "",
        ports=_ports(_dict(p).get("port") for p in _list(item.get("ports"))[:MAX_PORTS]),
        pods=tuple(pods),
        addresses=_addresses(others) if item.get("addressType") in ("IPv4", "IPv6") else (),
        start=moment(meta.get("creationTimestamp")),
    )


def node(item: Json) -> Node:
    """From the API's Node."""
    spec, status = _dict(item.get("spec")), _dict(item.get("status"))
    addresses = [_dict(a) for a in _list(status.get("addresses"))]
    return Node(
        name=key(item)[1],
        ips=_addresses(a.get("address") for a in addresses if a.get("type") in ("InternalIP", "ExternalIP")),
        gateways=tuple(_first(n) for n in [*_list(spec.get("podCIDRs")), spec.get("podCIDR")] if _first(n)),
    )


def made(item: Json) -> Made:
    """From the API's ReplicaSet or Job (its metadata is enough)."""
    namespace, name = key(item)
    meta = _dict(item.get("metadata"))
    return Made(str(meta.get("uid") or ""), namespace, name, _owner(meta))


def is_ready(item: Json) -> bool:
    """Whether a pod or node says that it is ready."""
    conditions = [_dict(condition) for condition in _conditions(_dict(item.get("status")))]
    return any(told.get("type") == "Ready" and told.get("status") == "True" for told in conditions)


def moment(text: Any) -> int | None:
    """A time of the API (RFC 3339) as ns."""
    if not isinstance(text, str):
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    parsed = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return int(parsed.replace(microsecond=0).timestamp()) * 1_000_000_000 + parsed.microsecond * 1000


def _dict(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _name(value: Any) -> str | None:
    """Interned: most names are in many objects."""
    if not isinstance(value, str) or not value or len(value) > MAX_NAME or not value.isprintable():
        return None
    return sys.intern(value)


def _labels(value: Any) -> dict[str, str]:
    return {sys.intern(k): sys.intern(v) for k, v in _dict(value).items() if isinstance(k, str) and isinstance(v, str)}


def _addresses(values: Any) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for value in values:
        try:
            found[str(ipaddress.ip_address(value))] = None
        except ValueError:  # "None" of a headless service too
            continue
    return tuple(found)


def _ports(values: Any) -> tuple[int, ...]:
    return tuple(dict.fromkeys(p for p in values if isinstance(p, int) and 0 < p < 65536))


def _first(network: Any) -> str:
    try:
        parsed = ipaddress.ip_network(network)
    except ValueError:
        return ""
    return str(parsed[1]) if parsed.num_addresses > 2 else ""


def _owner(meta: Json) -> Owner | None:
    for reference in _list(meta.get("ownerReferences")):
        told = _dict(reference)
        name = _name(told.get("name"))
        if told.get("controller") is True and name is not None:
            return Owner(sys.intern(str(told.get("kind") or "")), name, str(told.get("uid") or ""))
    return None


def _container(value: Any) -> Container:
    ports = [_dict(p) for p in _list(_dict(value).get("ports"))[:MAX_PORTS]]
    return Container(
        _name(_dict(value).get("name")) or "",
        _ports(p.get("containerPort") for p in ports),
        _ports(p.get("hostPort") for p in ports),
    )


def _sidecars(spec: Json) -> list[Any]:
    return [c for c in _list(spec.get("initContainers")) if _dict(c).get("restartPolicy") == "Always"]


def _conditions(status: Json) -> list[Any]:
    return _list(status.get("conditions"))


def _version(labels: dict[str, str], spec: Json) -> str | None:
    """What a rollout changes: the label made for it, else the template's hash, else the image's tag."""
    for label in _VERSION_LABELS:
        if found := _name(labels.get(label)):
            return found
    image = _dict(next(iter(_list(spec.get("containers"))), None)).get("image")
    _, colon, tag = str(image or "").partition("@")[0].rpartition("/")[2].partition(":")
    return _name(tag) if colon else None


def _last_line(text: Any) -> str:
    return text.strip().rpartition("\n")[2].strip() if isinstance(text, str) else ""


def _waiting(status: Json, states: list[Json]) -> str | None:
    for state in states:
        told = _dict(_dict(state.get("state")).get("waiting"))
        reason = _name(told.get("reason"))
        if reason and reason not in ("ContainerCreating", "PodInitializing"):
            last = _dict(_dict(state.get("lastState")).get("terminated")).get("message")
            message = _last_line(last) or told.get("message")
            return f"{reason}: {message}"[:300] if message else reason
    for condition in _conditions(status):
        told = _dict(condition)
        if told.get("type") == "PodScheduled" and told.get("status") == "False":
            return f"{told.get('reason')}: {told.get('message')}"[:300]
    return None

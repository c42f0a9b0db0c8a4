"""A resident tapper: placed once by whoever may, in a namespace of a fixed name; others attach to it."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

from tapper.kube import kinds, sessions
from tapper.kube.credentials import INSTALLED_DAYS, Credentials, make_credentials
from tapper.kube.manifest import namespace, objects
from tapper.kube.placement import AGENT, COLLECTOR, NAME, Placement
from tapper.kube.refusals import ApiError, KubeError
from tapper.kube.session import Session, apply

if TYPE_CHECKING:
    from tapper.kube.cluster import Cluster

    Object = dict[str, Any]

KEYS = "tapper.dev/keys"
"""Annotation of pods: a digest of their secret, so that they start anew when it changes."""


async def install(cluster: Cluster, placement: Placement) -> Session:
    """Places it, or changes the one that is there to be like this; its keys stay as they are.

    Raises:
        KubeError: the API server refused something; what was made until then stays.
    """
    credentials = await _kept(cluster) or new_credentials(placement)
    spaces = placement.selection.namespaces or ()
    # rights in namespaces that were tapped before go first: after this nothing tells which they were
    for space in [space for space in await _tapped(cluster) if space not in spaces]:
        for kind in sessions.ELSEWHERE:
            await cluster.delete(kind, NAME, space)
    session = await apply(cluster, placement, credentials, digests)
    found = await sessions.find(cluster, NAME)
    left = [one for one in found if one.kind in sessions.ELSEWHERE and one.namespace not in spaces]
    await sessions.remove(cluster, left)  # those that an installation which failed left
    return session


def new_credentials(placement: Placement) -> Credentials:
    """That last."""
    return make_credentials((placement.host, f"{COLLECTOR}.{placement.namespace}"), INSTALLED_DAYS)


def documents(placement: Placement, *, secrets_only: bool = False) -> list[Object]:
    """All that `install` would apply to an empty cluster."""
    made = objects(placement, new_credentials(placement))
    digests(made)
    if secrets_only:
        return [item for item in made if item["kind"] == "Secret"]
    return [namespace(placement), *made]


def digests(items: list[Object]) -> None:
    """Has pods start anew when their secret changes."""
    told = {
        item["metadata"]["name"]: hashlib.sha256(json.dumps(item["stringData"], sort_keys=True).encode()).hexdigest()
        for item in items
        if item["kind"] == "Secret"
    }
    for item in items:
        if item["kind"] in ("Deployment", "DaemonSet"):
            digest = told[item["metadata"]["name"]][:16]
            item["spec"]["template"]["metadata"]["annotations"] = {KEYS: digest}


async def _kept(cluster: Cluster) -> Credentials | None:
    """Those of the one that is there."""
    collector = await _secret(cluster, COLLECTOR)
    agent = await _secret(cluster, AGENT)
    if collector is None or agent is None:
        return None
    try:
        certificate, marker, key = agent["tls.pem"].partition("-----BEGIN PRIVATE KEY-----")
        return Credentials(
            authority=collector["ca.crt"],
            collector_certificate=collector["tls.crt"],
            collector_key=collector["tls.key"],
            agent_certificate=certificate,
            agent_key=marker + key,
            agent_token=collector["agent-token"],
            api_token=collector["api-token"],
            redact_key=json.loads(collector["tap.json"])["redact_key"],
        )
    except (KeyError, ValueError, TypeError):  # not ours any more: it gets new ones
        return None


async def _tapped(cluster: Cluster) -> tuple[str, ...]:
    """The namespaces that the one that is there taps, if not all."""
    try:
        return tuple(json.loads((await _secret(cluster, COLLECTOR) or {})["tap.json"])["selection"]["namespaces"] or ())
    except (KeyError, ValueError, TypeError):  # there is none, or it is not ours any more
        return ()


async def _secret(cluster: Cluster, name: str) -> dict[str, str] | None:
    item = await cluster.get(kinds.SECRET, name, NAME)
    if item is None:
        return None
    return {key: base64.b64decode(value).decode(errors="replace") for key, value in (item.get("data") or {}).items()}


async def attach(cluster: Cluster) -> Session:
    """The one that is there.

    Raises:
        KubeError: there is none, or the user may not read its token.
    """
    try:
        kept = await _secret(cluster, COLLECTOR)
    except ApiError as error:
        if error.status != 403:
            raise
        raise KubeError(
            f"you may not attach: {error}\n"
            f"It takes to get the secret {COLLECTOR} in namespace {NAME}, to list pods there and to create and get"
            " pods/portforward: ask whoever ran `tapper install` for it."
        ) from error
    if kept is None or "api-token" not in kept:
        raise KubeError(f"no tapper is installed in this cluster (namespace {NAME}): `tapper install` does it")
    return Session(cluster, Placement(NAME, ""), kept["api-token"])

"""Whether a cluster can be tapped: looks at it, creates nothing. What was found is told line by line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tapper.kube import kinds, rights, sessions
from tapper.kube.manifest import namespace
from tapper.kube.placement import NAME
from tapper.kube.refusals import ApiError, KubeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from tapper.kube.cluster import Cluster
    from tapper.kube.placement import Placement
    from tapper.kube.rights import Answer

GOOD, DOUBT, BAD = "ok", "look", "no"
"""Results: it works; it works but for what is said; a tap will not work."""
OLDEST_KERNEL = (4, 14)  # the oldest that current distributions' nodes have; packet rings and their filters are older
ARCHITECTURES = ("amd64", "arm64")
ASK = "ask whoever runs the cluster for it, or to run `tapper install`"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, the result, in words; and what to do."""

    what: str
    result: str
    told: str
    advice: str = ""


async def look(cluster: Cluster, placement: Placement) -> AsyncIterator[Finding]:
    """All that can be told without placing anything. Ends early where the cluster can't be reached."""
    try:
        version = await cluster.request("GET", "/version")
    except KubeError as error:
        yield Finding("cluster", BAD, str(error), "see whether `kubectl version` works with the same kubeconfig")
        return
    context = f", context {cluster.origin.context}" if cluster.origin.context else ""
    yield Finding("cluster", GOOD, f"Kubernetes {version.get('gitVersion')} at {cluster.origin.server}{context}")
    for finding in may(await rights.ask(cluster, rights.needed(placement, cluster.origin.namespace))):
        yield finding
    for steps in (_admission(cluster, placement), _nodes(cluster), _left(cluster)):
        async for finding in steps:
            yield finding


def may(answers: Iterable[Answer]) -> Iterable[Finding]:
    """What the user may do, by kind and place."""
    told = {answer.right: answer.allowed for answer in answers}
    for within, group in rights.grouped(told):
        allowed = [right.verb for right in group if told[right]]
        missing = [right.verb for right in group if not told[right]]
        if missing:
            have = f" (only {', '.join(allowed)})" if allowed else ""
            yield Finding("right", BAD, f"you may not {', '.join(missing)} {within}{have}", ASK)
        else:
            yield Finding("right", GOOD, f"{', '.join(allowed)} {within}")


async def _admission(cluster: Cluster, placement: Placement) -> AsyncIterator[Finding]:
    """Asks for the namespace as a tap makes it, without making it."""
    try:
        item = namespace(placement)
        await cluster.request("POST", kinds.NAMESPACE.path(), query={"dryRun": "All"}, body=item)
    except KubeError as error:
        advice = "the agent's pods need hostPID and capabilities: " + ASK
        yield Finding("pod security", BAD, f"no namespace for privileged pods: {error}", advice)
    else:
        yield Finding("pod security", GOOD, "a namespace with the level privileged, which the agent needs, is allowed")


async def _nodes(cluster: Cluster) -> AsyncIterator[Finding]:
    try:
        items = await cluster.list(kinds.NODE)
    except ApiError as error:
        yield Finding("nodes", BAD, str(error), ASK)
        return
    for item in items:
        yield node(item)


def node(item: dict[str, Any]) -> Finding:
    """What a node is, and whether an agent can work there."""
    status = item.get("status") or {}
    info = {name: str(value) for name, value in (status.get("nodeInfo") or {}).items()}
    system, arch, kernel = (
        info.get("operatingSystem", "?"),
        info.get("architecture", "?"),
        info.get("kernelVersion", "?"),
    )
    told = f"{system} {kernel}, {arch}, {info.get('osImage', '?')}, {info.get('containerRuntimeVersion', '?')}"
    what = f"node {item['metadata']['name']}"
    ready: dict[str, Any] = next((c for c in status.get("conditions") or [] if c.get("type") == "Ready"), {})
    if system != "linux":
        return Finding(what, DOUBT, told, "its pods can't be tapped: agents run on Linux only")
    if arch not in ARCHITECTURES:
        return Finding(what, DOUBT, told, f"its pods can't be tapped: agents are for {' and '.join(ARCHITECTURES)}")
    if (found := re.match(r"(\d+)\.(\d+)", kernel)) and (int(found[1]), int(found[2])) < OLDEST_KERNEL:
        oldest = ".".join(map(str, OLDEST_KERNEL))
        return Finding(what, DOUBT, told, f"its kernel is older than {oldest}, with which agents were never tried")
    if ready.get("status") != "True":
        return Finding(what, DOUBT, told, f"it is not ready: {ready.get('message') or 'its kubelet tells nothing'}")
    return Finding(what, GOOD, told)


async def _left(cluster: Cluster) -> AsyncIterator[Finding]:
    try:
        found = await sessions.find(cluster)
    except KubeError as error:
        yield Finding("earlier taps", DOUBT, str(error))
        return
    taps = sorted({one.session for one in found if one.kind is kinds.NAMESPACE and one.session != NAME})
    loose = [one for one in found if one.session not in taps and one.session != NAME]
    if any(one.session == NAME for one in found):
        yield Finding(
            "installed", GOOD, f"tapper is installed, in namespace {NAME}: `tapper attach` shows what it sees"
        )
    for name in taps:
        ending = any(one.ending for one in found if one.session == name)
        told = f"{name} is {'being removed' if ending else 'there'}"
        yield Finding("earlier taps", DOUBT, told, f"if nobody uses it any more: tapper clean {name}")
    for one in loose:
        yield Finding("earlier taps", DOUBT, f"{one} is left", "tapper clean")
    if not taps and not loose:
        yield Finding("earlier taps", GOOD, "nothing is left of any")

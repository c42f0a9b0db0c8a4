"""What a user must be allowed to do for a tap; asked of the API server before anything is created."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tapper.kube import kinds
from tapper.kube.placement import READ, WATCHED
from tapper.kube.refusals import KubeError
from tapper.kube.together import together

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tapper.kube.cluster import Cluster
    from tapper.kube.kinds import Kind
    from tapper.kube.placement import Placement

AT_ONCE = 4  # questions at the same time: each has a connection, and some who listen have few places for new ones


@dataclass(frozen=True, slots=True)
class Right:
    """To do something with a kind of object."""

    verb: str
    kind: Kind
    namespace: str | None = None
    """None: in all, or the kind has none."""
    subresource: str = ""
    name: str = ""
    """Of one object; empty: all."""

    @property
    def what(self) -> str:
        """The kind and where: "pods/portforward in namespace shop"."""
        part = f"/{self.subresource}" if self.subresource else f" {self.name}" if self.name else ""
        return f"{self.kind.title}{part}" + (f" in namespace {self.namespace}" if self.namespace else "")


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the user has a right."""

    right: Right
    allowed: bool
    reason: str = ""


class RightsError(KubeError):
    """The user lacks rights; `missing` has them."""

    def __init__(self, missing: list[Right], who: str, own: str) -> None:
        listed = "\n".join(f"  {', '.join(right.verb for right in group)} {where}" for where, group in grouped(missing))
        super().__init__(
            f"{who} may not do what a tap needs; missing are:\n{listed}\n"
            f"Nothing was created. Each tap makes a namespace, such as {own}: what is needed there is needed in all.\n"
            "Ask whoever runs the cluster for these rights, or to run `tapper install`."
        )
        self.missing = missing


def grouped(rights: Iterable[Right]) -> list[tuple[str, list[Right]]]:
    """Those to do something with the same kind at the same place, and what and where that is."""
    groups: dict[str, list[Right]] = {}
    for right in rights:
        groups.setdefault(right.what, []).append(right)
    return list(groups.items())


def needed(placement: Placement, current: str = "default") -> list[Right]:
    """For a tap: to look for pods, to make each kind of object, to hand on the collector's rights, to reach it.

    `current`: the namespace that secrets to pull with are copied from.
    """
    own = placement.namespace
    seen = placement.selection.namespaces or (None,)
    rights = [Right("list", kind, where) for where in seen for kind in WATCHED]
    rights += [Right(verb, kinds.NAMESPACE) for verb in ("create", "patch", "get", "list", "delete")]
    made = (kinds.SERVICE_ACCOUNT, kinds.SECRET, kinds.SERVICE, kinds.DEPLOYMENT, kinds.DAEMON_SET)
    rights += [Right(verb, kind, own) for kind in made for verb in ("create", "patch")]
    rights += [Right(verb, k) for k in (kinds.CLUSTER_ROLE, kinds.CLUSTER_ROLE_BINDING) for verb in ("create", "patch")]
    for where in (*placement.selection.namespaces, own) if placement.selection.namespaces else ():
        rights += [Right(verb, k, where) for k in (kinds.ROLE, kinds.ROLE_BINDING) for verb in ("create", "patch")]
    # nobody can grant what he has not
    rights += [Right(verb, kind, where) for where in seen for kind in WATCHED for verb in READ if verb != "list"]
    rights += [Right(verb, kinds.NODE) for verb in READ]
    rights += [Right("get", kind, own) for kind in (kinds.DEPLOYMENT, kinds.DAEMON_SET)]  # to see them get ready
    rights += [Right("list", kinds.POD, own)]
    rights += [Right("get", kinds.SECRET, current, name=name) for name in placement.pull_secrets]
    rights += [Right("get", kinds.POD, own, "portforward"), Right("create", kinds.POD, own, "portforward")]
    return list(dict.fromkeys(rights))


async def ask(cluster: Cluster, rights: list[Right]) -> list[Answer]:
    """Which of them the user has (SelfSubjectAccessReview)."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(right: Right) -> Answer:
        attributes = {"verb": right.verb, "group": right.kind.group, "resource": right.kind.plural}
        attributes |= {"namespace": right.namespace} if right.namespace else {}
        attributes |= {"subresource": right.subresource} if right.subresource else {}
        attributes |= {"name": right.name} if right.name else {}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        async with gate:
            answer = await cluster.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
        status = answer.get("status") or {}
        return Answer(right, status.get("allowed") is True, str(status.get("reason") or ""))

    return await together(*(one(right) for right in rights))


async def require(cluster: Cluster, placement: Placement) -> None:
    """Sees to it that a tap can be placed.

    Raises:
        RightsError: the user lacks rights.
    """
    rights = needed(placement, cluster.origin.namespace)
    missing = [answer.right for answer in await ask(cluster, rights) if not answer.allowed]
    if missing:
        who = cluster.origin.impersonated or "The user of this kubeconfig"
        raise RightsError(missing, who, placement.namespace)

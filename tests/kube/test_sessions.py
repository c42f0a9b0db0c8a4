"""Sessions that are in a cluster are found, whoever placed them, and what an earlier one of them left is told."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tapper.kube import kinds, sessions
from tapper.kube.installing import install
from tapper.kube.placement import NAME, Placement
from tapper.kube.refusals import ApiError
from tapper.kube.selection import Selection
from tapper.kube.session import plan
from tests.kube.objects import Objects, kept

if TYPE_CHECKING:
    from pathlib import Path


def _resident(*namespaces: str) -> Placement:
    return Placement(NAME, "x", Selection(namespaces=namespaces or None), temporary=False)


def test_what_helm_placed_is_found(tmp_path: Path) -> None:
    """Helm writes its own name into `managed-by`, and the release's into an annotation."""

    async def run() -> None:
        async with kept(tmp_path) as (there, cluster):
            await install(cluster, _resident())
            for item in there.there.values():
                item["metadata"]["labels"]["app.kubernetes.io/managed-by"] = "Helm"
                item["metadata"]["annotations"] = {"meta.helm.sh/release-name": "mine"}
            found = await sessions.find(cluster, NAME)
            assert {(one.kind, one.name, one.release) for one in found} == {
                (kinds.NAMESPACE, NAME, "mine"),
                (kinds.CLUSTER_ROLE, NAME, "mine"),
                (kinds.CLUSTER_ROLE_BINDING, NAME, "mine"),
            }

    asyncio.run(run())


@pytest.mark.parametrize("deletes", [True, False])
def test_who_may_not_list_all_roles_leaves_none_where_no_longer_is_tapped(tmp_path: Path, deletes: bool) -> None:
    async def run() -> None:
        async with kept(tmp_path) as (there, cluster):
            await install(cluster, _resident("shop", "bank"))
            there.refused = lambda asked: (
                asked.startswith("GET /apis/rbac") or (not deletes and asked.startswith("DELETE"))
            )
            if deletes:
                await install(cluster, _resident("shop"))
            else:
                with pytest.raises(ApiError, match="forbidden"):
                    await install(cluster, _resident("shop"))
                there.refused = lambda asked: False
                await install(cluster, _resident("shop"))  # it is still known what is to be taken back
            left = {path.split("/")[5] for path in there.there if "/roles/" in path or "/rolebindings/" in path}
            assert left == {"shop", NAME}

    asyncio.run(run())


def _place(there: Objects, session: str, *, created: str = "2026-01-31T12:00:00Z", ready: bool | None = None) -> None:
    placement = Placement(session, "x")
    labels = {**placement.labels(), "tapper.dev/session": session}
    meta = {"name": placement.namespace, "labels": labels, "creationTimestamp": created}
    there.put({"kind": "Namespace", "metadata": meta})
    if ready is not None:
        conditions = [{"type": "Ready", "status": str(ready)}]
        meta = {"name": "c", "namespace": placement.namespace, "labels": placement.labels("collector")}
        there.put({"kind": "Pod", "metadata": meta, "status": {"conditions": conditions}})


def test_sessions_that_nothing_removes_are_told_from_those_that_are_used_or_begin(tmp_path: Path) -> None:
    async def run() -> None:
        async with kept(tmp_path) as (there, cluster):
            _place(there, "killed")
            _place(there, "pulling", ready=False)
            _place(there, "used", ready=True)
            _place(there, "begins", created=datetime.now(UTC).isoformat())
            _place(there, NAME)
            assert await sessions.dead(cluster) == ["killed", "pulling"]
            there.refused = lambda asked: "pods" in asked
            assert await sessions.dead(cluster) == []

    asyncio.run(run())


def test_a_session_that_was_removed_has_nothing_left(tmp_path: Path) -> None:
    async def run() -> None:
        async with kept(tmp_path) as (there, cluster):
            session = plan(cluster, Placement("abc", "x", Selection(namespaces=("shop",))))
            await session.place()
            assert len(await sessions.find(cluster, "abc")) == 5  # the others are in the namespace
            await session.remove()
            assert there.there == {}

    asyncio.run(run())

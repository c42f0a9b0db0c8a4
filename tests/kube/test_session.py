"""How the objects of a session are placed: in an order that the API server allows, and nothing where one is missing."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest

from tapper.kube import kinds, rights
from tapper.kube.placement import Placement
from tapper.kube.refusals import ApiError, KubeError
from tapper.kube.rights import Right, RightsError
from tapper.kube.selection import Selection
from tapper.kube.session import plan
from tests.kube.objects import Objects, kept

if TYPE_CHECKING:
    from pathlib import Path

SHOP = Selection(namespaces=("shop",))
PULLED = Placement("abc", "x", SHOP, pull_secrets=("registry",))


def test_a_binding_waits_until_its_role_is_there(tmp_path: Path) -> None:
    """Who may not bind any role may bind one whose rights he has: the API server looks at the role's."""

    async def run() -> None:
        async with kept(tmp_path) as (there, cluster):
            bound, early = asyncio.Event(), list[str]()

            async def before(asked: str) -> None:
                if "binding" in asked:
                    bound.set()
                    role = asked.removeprefix("PATCH ").replace("bindings", "s")
                    if role not in there.there:
                        early.append(asked)
                elif "rbac" in asked:
                    with contextlib.suppress(TimeoutError):  # a role takes its time
                        await asyncio.wait_for(bound.wait(), 0.2)

            there.before = before
            await plan(cluster, Placement("abc", "x", SHOP)).place()
            assert there.names("ClusterRoleBinding") == ["tapper-abc"]
            assert "tapper-abc" in there.names("RoleBinding")
            assert not early

    asyncio.run(run())


@pytest.mark.parametrize("forbidden", [False, True])
def test_without_the_secret_to_pull_with_nothing_is_placed(tmp_path: Path, forbidden: bool) -> None:
    async def run() -> None:
        async with kept(tmp_path) as (there, cluster):
            there.refused = lambda asked: forbidden and "secrets/registry" in asked
            with pytest.raises(ApiError if forbidden else KubeError, match="registry"):
                await plan(cluster, PULLED).place()
            assert there.there == {}

    asyncio.run(run())


def test_the_secret_to_pull_with_is_copied(tmp_path: Path) -> None:
    async def run() -> None:
        async with kept(tmp_path) as (there, cluster):
            _secret(there)
            await plan(cluster, PULLED).place()
            copy = there.there[kinds.SECRET.path("tapper-abc", "registry")]
            assert (copy["data"], copy["type"]) == ({"k": "djE="}, "kubernetes.io/dockerconfigjson")

    asyncio.run(run())


def test_the_right_to_the_secret_to_pull_with_is_asked_for(tmp_path: Path) -> None:
    async def run() -> None:
        async with kept(tmp_path) as (there, cluster):
            await rights.require(cluster, PULLED)
            there.refused = lambda asked: '"registry"' in asked
            with pytest.raises(RightsError, match="get secrets registry in namespace default") as caught:
                await rights.require(cluster, PULLED)
            assert caught.value.missing == [Right("get", kinds.SECRET, "default", name="registry")]
            assert there.there == {}

    asyncio.run(run())


def _secret(there: Objects) -> None:
    meta = {"name": "registry", "namespace": "default"}
    there.put({"kind": "Secret", "metadata": meta, "type": "kubernetes.io/dockerconfigjson", "data": {"k": "djE="}})

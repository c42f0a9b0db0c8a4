"""What `tapper check` says of nodes and rights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tapper.kube import kinds
from tapper.kube.checking import BAD, DOUBT, GOOD, look, may, node
from tapper.kube.placement import SESSION, Placement
from tapper.kube.rights import Answer, Right, RightsError
from tests.kube.objects import kept

if TYPE_CHECKING:
    from pathlib import Path

    from tapper.kube.kinds import Kind

READY = [{"type": "Ready", "status": "True"}]


def _node(conditions: Any = READY, **info: Any) -> dict[str, Any]:
    facts = {"operatingSystem": "linux", "architecture": "arm64", "kernelVersion": "6.1.0-18", **info}
    return {"metadata": {"name": "w1"}, "status": {"nodeInfo": facts, "conditions": conditions}}


@pytest.mark.parametrize(
    ("item", "result", "words"),
    [
        (_node(), GOOD, ""),
        (_node(operatingSystem="windows"), DOUBT, "Linux only"),
        (_node(architecture="s390x"), DOUBT, "amd64 and arm64"),
        (_node(kernelVersion="3.10.0-1160.el7"), DOUBT, "older than 4.14"),
        (_node([{"type": "Ready", "status": "False", "message": "no CNI"}]), DOUBT, "no CNI"),
        (_node(None), DOUBT, "not ready"),
        ({"metadata": {"name": "w1"}}, DOUBT, "Linux only"),
    ],
)
def test_a_node(item: dict[str, Any], result: str, words: str) -> None:
    found = node(item)
    assert (found.what, found.result) == ("node w1", result)
    assert words in found.advice


def test_rights_are_told_by_kind_and_namespace() -> None:
    answers = [
        Answer(Right("get", kinds.POD, "shop"), True),
        Answer(Right("watch", kinds.POD, "shop"), False),
        Answer(Right("create", kinds.POD, "t", "portforward"), False),
        Answer(Right("list", kinds.NODE), True),
    ]
    assert [(f.result, f.told) for f in may(answers)] == [
        (BAD, "you may not watch pods in namespace shop (only get)"),
        (BAD, "you may not create pods/portforward in namespace t"),
        (GOOD, "list nodes"),
    ]


def test_rights_that_are_missing_are_listed_by_kind_and_place() -> None:
    missing = [
        Right("create", kinds.NAMESPACE),
        Right("create", kinds.SECRET, "tapper-1"),
        Right("delete", kinds.NAMESPACE),
        Right("patch", kinds.SECRET, "tapper-1"),
    ]
    lines = str(RightsError(missing, "eve", "tapper-1")).splitlines()
    assert lines[1:3] == ["  create, delete namespaces", "  create, patch secrets in namespace tapper-1"]
    assert "such as tapper-1: what is needed there is needed in all" in lines[3]


def _left(kind: Kind, name: str, session: str, **meta: str) -> dict[str, Any]:
    return {"kind": kind.name, "metadata": {"name": name, "labels": {SESSION: session}, **meta}}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("left", "told"),
    [
        ([], [(GOOD, "nothing is left of any", "")]),
        (
            [_left(kinds.NAMESPACE, "tapper-abc", "abc")],
            [(DOUBT, "abc is there", "if nobody uses it any more: tapper clean abc")],
        ),
        (
            [
                _left(kinds.NAMESPACE, "tapper-abc", "abc", deletionTimestamp="2026-01-31T12:00:00Z"),
                _left(kinds.CLUSTER_ROLE, "tapper-abc", "abc"),
            ],
            [(DOUBT, "abc is being removed", "if nobody uses it any more: tapper clean abc")],
        ),
        (
            [_left(kinds.ROLE, "tapper-abc", "abc", namespace="shop")],
            [(DOUBT, "role/tapper-abc in shop is left", "tapper clean")],
        ),
        (
            [_left(kinds.NAMESPACE, "tapper", "tapper")],
            [
                (GOOD, "tapper is installed, in namespace tapper: `tapper attach` shows what it sees", ""),
                (GOOD, "nothing is left of any", ""),
            ],
        ),
    ],
)
async def test_what_earlier_taps_left_is_told_with_what_to_do(
    tmp_path: Path, left: list[dict[str, Any]], told: list[tuple[str, str, str]]
) -> None:
    async with kept(tmp_path) as (there, cluster):
        there.there["/version"] = {"gitVersion": "v1.35.4"}
        for item in left:
            there.put(item)
        found = [one async for one in look(cluster, Placement("new", "tapper:1"))]
    assert [(f.result, f.told, f.advice) for f in found if f.what in ("earlier taps", "installed")] == told

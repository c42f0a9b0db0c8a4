"""Whoever may make objects may put anything in them: what is not of its form is left out, and nothing fails."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapper.identity.index import Identity
from tapper.identity.names import MAX_NAME
from tapper.kube import kinds, objects
from tapper.kube.naming import ClusterNames
from tapper.kube.selection import Selection
from tapper.kube.watching import Change
from tests.kube.recorded import STREAMS

KINDS = {kind.name: kind for kind in (kinds.POD, kinds.SERVICE, kinds.ENDPOINT_SLICE, kinds.NODE, kinds.REPLICA_SET)}
ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(
        ["", "a\x1b[2Jb", "\u202eevil", "x" * 5_000, "10.0.0.1", "999.1.1.1", "fe80::1%eth0", "NaN", "../.."]
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "ip", "uid"]), inner, max_size=3)
    ),
    max_leaves=4,
)


LINES = [json.loads(line) for line in (STREAMS / "rollout.jsonl").read_text().splitlines()]
ITEMS = [{"kind": line["kind"], **line["item"]} for line in LINES if line["kind"] in KINDS and line["item"]]


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in inner for place in _places(part, (*path, key)))]


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_part_of_an_object_may_be_anything(data: st.DataObject) -> None:
    item = json.loads(json.dumps(data.draw(st.sampled_from(ITEMS))))
    kind = KINDS[item["kind"]]
    for _ in range(data.draw(st.integers(1, 3))):
        *path, last = data.draw(st.sampled_from([p for p in _places(item) if p and p != ("kind",)]))
        at: Any = item
        for step in path:
            at = at[step]
        at[last] = data.draw(ODD)
    names = ClusterNames(Identity())
    for now in (1, 2):
        names.apply(Change(kind, objects.key(item), item), now)
        Selection(("simple-app", "svc/orders", "deploy/orders")).pods(names)
    for pod in names.pods():
        assert len(pod.name) <= MAX_NAME
        assert all(ipaddress.ip_address(ip) for ip in pod.ips)
    names.apply(Change(kind, objects.key(item), None), 3)


def test_annotations_are_not_even_read() -> None:
    item = next(i for i in ITEMS if i["kind"] == "Pod")
    annotated = json.loads(json.dumps(item))
    annotated["metadata"]["annotations"] = {"note": "\x1b]0;owned\x07" * 10_000}
    assert objects.pod(annotated) == objects.pod(item)


@pytest.mark.parametrize("name", ["a\x1b[31m", "a b", "", "x" * 300, 7, None])
def test_a_name_that_is_none_is_harmless(name: Any) -> None:
    item = {"metadata": {"name": name, "namespace": "shop", "uid": "u"}, "spec": {}, "status": {"podIP": "10.0.0.1"}}
    found = objects.pod(item)
    assert len(found.name) <= MAX_NAME

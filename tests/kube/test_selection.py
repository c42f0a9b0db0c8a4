"""Which pods a person's words mean, in a recorded cluster."""

from __future__ import annotations

import json

import pytest

from tapper.identity.index import Identity
from tapper.kube.naming import ClusterNames
from tapper.kube.selection import Selection, SelectionError, parse_labels
from tests.kube.recorded import Recorded

ORDERS = ["orders-78b6d6958d-2xd74", "orders-78b6d6958d-tjmd8"]


@pytest.fixture(scope="module")
def cluster() -> ClusterNames:
    names = ClusterNames(Identity())
    Recorded(names.apply).play("deployment")
    return names


@pytest.mark.parametrize(
    ("words", "labels", "expected"),
    [
        ([], "", ["host", *ORDERS, "pair", "simple-app"]),
        (["simple-app"], "", ["simple-app"]),
        (["orders"], "", ORDERS),
        (["orders-78b6d6958d-2xd74", "pair"], "", [ORDERS[0], "pair"]),
        (["deploy/orders"], "", ORDERS),
        (["deployment/simple-app"], "", []),
        (["rs/orders-78b6d6958d"], "", ORDERS),
        (["svc/orders"], "", ORDERS),
        (["svc/step"], "", []),
        (["pod/pair"], "", ["pair"]),
        (["^(pair|host)$"], "", ["host", "pair"]),
        (["orders-.*-2x"], "", [ORDERS[0]]),
        (["simple"], "", []),
        ([], "app=orders", ORDERS),
        ([], "app in (pair, host)", ["host", "pair"]),
        ([], "app!=orders,app notin (pair,host)", ["simple-app"]),
        ([], "app.kubernetes.io/version", ORDERS),
        ([], "!pod-template-hash,app!=pair", ["host", "simple-app"]),
        (["orders"], "app=pair", []),
    ],
)
def test_words_and_labels(cluster: ClusterNames, words: list[str], labels: str, expected: list[str]) -> None:
    selection = Selection(tuple(words), ("recorded",), labels)
    assert [pod.name for pod in selection.pods(cluster)] == expected
    again = Selection.from_document(json.loads(json.dumps(selection.document())))
    assert again == selection
    assert [pod.name for pod in again.pods(cluster)] == expected


def test_namespaces(cluster: ClusterNames) -> None:
    assert Selection((), ("other",)).pods(cluster) == []
    assert len(Selection(("orders",), None).pods(cluster)) == 2


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        (Selection(("simple-ap",), ("recorded",)), "Near: simple-app. `-A`"),
        (Selection(("oders",), ("recorded",)), "Near: orders-78b6d6958d-"),
        (Selection(("simple-app",), ("other",)), "There are no pods in namespace other"),
        (Selection((), ("recorded",), "app=x"), "No pod in namespace recorded has labels app=x"),
        (Selection(("zzz",), None), "No pod matches `zzz` in any namespace."),
    ],
)
def test_nothing_is_told_with_what_is_near(cluster: ClusterNames, selection: Selection, said: str) -> None:
    assert said in selection.nothing(cluster)


@pytest.mark.parametrize("labels", ["=x", "a in", "a in (b", "a=b=c", "a b", ",", "a=b,,c", "(", "!"])
def test_labels_that_cannot_be_read(labels: str) -> None:
    with pytest.raises(SelectionError, match="can't be read"):
        parse_labels(labels)


@pytest.mark.parametrize(("word", "said"), [("a(", "no regular expression"), ("planet/x", "no kind 'planet'")])
def test_words_that_cannot_be_understood(word: str, said: str) -> None:
    with pytest.raises(SelectionError, match=said):
        Selection((word,))

"""Who taps needs the rights that are asked for and no others; what is placed has no more than it was given."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tapper.kube import kinds
from tapper.kube.placement import AGENT, COLLECTOR, Placement
from tapper.kube.rights import needed
from tapper.kube.selection import Selection
from tests.e2e.taps import left, session, tap, tapper
from tests.e2e.world import CLIENT, IMAGE, SERVER, ask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapper.kube.kinds import Kind
    from tests.e2e.world import World

pytestmark = pytest.mark.cluster


def test_the_rights_that_are_asked_for_suffice_and_what_is_placed_has_fewer(world: World) -> None:
    simple = world.pod("simple-app", SERVER.format(port=80), port=80)
    world.pod("visitor", CLIENT.format(url=f"http://{simple['status']['podIP']}/hostname"), node=1)
    user = f"jane-{world.namespace}"
    with _granted(world, user), tap("-n", world.namespace, "--as", user) as running, running.feed():
        mine = session(world.namespace)
        running.row(lambda row: row["dst"]["pod"] == "simple-app" and row["view"] == "both", "a request")
        own = f"tapper-{mine}"
        assert _may(own, COLLECTOR, "list", kinds.POD, world.namespace)
        assert _may(own, COLLECTOR, "watch", kinds.NODE)
        assert _may(own, COLLECTOR, "delete", kinds.NAMESPACE, name=own)
        for verb, kind, namespace, more in (
            ("list", kinds.POD, None, {}),
            ("list", kinds.SERVICE, "kube-system", {}),
            ("get", kinds.SECRET, own, {}),
            ("get", kinds.SECRET, world.namespace, {}),
            ("delete", kinds.POD, world.namespace, {}),
            ("patch", kinds.POD, world.namespace, {}),
            ("create", kinds.POD, own, {}),
            ("create", kinds.POD, world.namespace, {"subresource": "exec"}),
            ("delete", kinds.NAMESPACE, None, {"name": world.namespace}),
            ("patch", kinds.NODE, None, {}),
            ("get", kinds.NODE, None, {"subresource": "proxy"}),
        ):
            assert not _may(own, COLLECTOR, verb, kind, namespace, **more), (verb, kind.plural, namespace, more)
        assert not _may(own, AGENT, "list", kinds.POD, world.namespace)
        assert not _may(own, AGENT, "get", kinds.NODE)
        assert running.end() == 0, running.told
        assert tapper("clean", mine, "--as", user) == ""
    assert not left(mine)


def _may(
    own: str,
    account: str,
    verb: str,
    kind: Kind,
    namespace: str | None = None,
    **more: str,
) -> bool:
    """Whether the API server lets a service account of a session's namespace do something."""
    attributes = {"verb": verb, "group": kind.group, "resource": kind.plural, **more}
    attributes |= {"namespace": namespace} if namespace else {}
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{own}", "system:authenticated"]
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": f"system:serviceaccount:{own}:{account}",
            "groups": groups,
            "resourceAttributes": attributes,
        },
    }
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    return bool(ask(lambda cluster: cluster.create(path, review))["status"]["allowed"])


@contextmanager
def _granted(world: World, user: str) -> Iterator[None]:
    """While the block runs, a user has the rights that a tap of the world's namespace asks for.

    Those in the namespace that a tap makes are granted in all: nobody knows its name before.
    """
    placement = Placement("x", IMAGE, Selection(namespaces=(world.namespace,)))
    rules: dict[str | None, list[dict[str, Any]]] = {}
    for right in needed(placement):
        resource = right.kind.plural + (f"/{right.subresource}" if right.subresource else "")
        where = None if right.namespace == placement.namespace else right.namespace
        rule = {"apiGroups": [right.kind.group], "resources": [resource], "verbs": [right.verb]}
        rules.setdefault(where, []).append(rule)
    group = kinds.ROLE.group
    with ExitStack() as stack:
        for where, granted in rules.items():
            role, binding = (
                (kinds.CLUSTER_ROLE, kinds.CLUSTER_ROLE_BINDING) if where is None else (kinds.ROLE, kinds.ROLE_BINDING)
            )
            base = {"apiVersion": role.api_version, "metadata": {"name": user}}
            subject = {"kind": "User", "name": user, "apiGroup": group}
            bound = {"roleRef": {"apiGroup": group, "kind": role.name, "name": user}, "subjects": [subject]}
            for kind, content in ((role, {"rules": granted}), (binding, bound)):
                stack.enter_context(world.extra(kind.path(where), {**base, "kind": kind.name, **content}))
        yield

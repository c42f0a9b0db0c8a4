"""`tapper check` on a cluster; and a user who lacks rights is told so before anything is created."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tapper.kube import kinds, sessions
from tests.e2e.taps import run, tapper
from tests.e2e.world import SERVER, ask

if TYPE_CHECKING:
    from tests.e2e.world import World

pytestmark = pytest.mark.cluster


def test_each_thing_that_a_tap_needs_has_its_line(world: World) -> None:
    told = tapper("check", "-n", world.namespace)
    print(told)
    assert "✗" not in told
    for wanted in ("cluster", "right", "pod security", "image", "clean-up"):
        assert re.search(rf"^✓ {wanted}", told, re.MULTILINE), wanted
    for node in world.nodes:
        assert re.search(rf"^✓ node {re.escape(node)} .*capture works", told, re.MULTILINE)


def test_who_lacks_rights_is_told_which_before_anything_is_created(world: World, tmp_path: Path) -> None:
    world.pod("simple-app", SERVER.format(port=80), port=80)
    config = _limited(world, tmp_path)
    ended = run("tap", "simple-app", "-n", world.namespace, "-o", "jsonl", "--kubeconfig", config)
    assert ended.returncode == 1
    for missing in (
        "delete namespaces",
        "create, patch, get daemonsets.apps",
        "get, watch pods",
        "create pods/portforward",
    ):
        assert missing in ended.stderr
    assert f"list pods in namespace {world.namespace}" not in ended.stderr
    assert "an error of tapper itself" not in ended.stderr
    assert "Nothing was created." in ended.stderr
    attached = run("attach", "--kubeconfig", config)
    assert attached.returncode == 1
    assert "you may not attach" in attached.stderr
    assert "ask whoever ran `tapper install`" in attached.stderr
    cleaned = run("clean", "--kubeconfig", config)
    assert cleaned.returncode == 1
    assert "Ask whoever runs the cluster to run `tapper clean`." in cleaned.stderr
    checked = run("check", "-n", world.namespace, "--kubeconfig", config)
    assert checked.returncode == 1
    assert f"you may not get, watch pods in namespace {world.namespace} (only list)" in checked.stdout
    assert not [one for one in ask(sessions.find) if one.namespace == world.namespace]


def _limited(world: World, directory: Path) -> str:
    """A kubeconfig of a service account that may only list the pods of the world's namespace."""
    meta = {"name": "limited", "namespace": world.namespace}
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": meta}
    binding = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": meta}
    world.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
    world.apply({**role, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]})
    subject = {"kind": "ServiceAccount", **meta}
    world.apply(
        {
            **binding,
            "subjects": [subject],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "limited"},
        }
    )
    path = f"{kinds.SERVICE_ACCOUNT.path(world.namespace, 'limited')}/token"
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = ask(lambda cluster: cluster.create(path, request))["status"]["token"]
    config: dict[str, Any] = yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text())
    for user in config["users"]:
        user["user"] = {"token": token}
    file = directory / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    return str(file)

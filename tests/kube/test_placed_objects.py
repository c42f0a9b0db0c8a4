"""What is placed asks for no more than it needs: the pods' security, and what the collector may do in the cluster."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from tapper.kube import kinds
from tapper.kube.credentials import Credentials, make_credentials
from tapper.kube.manifest import namespace, objects
from tapper.kube.placement import AGENT, COLLECTOR, NAME, Placement
from tapper.kube.selection import Selection

EVERYWHERE = Placement("1", "tapper:1")
WITHIN = Placement("1", "tapper:1", Selection((), ("shop", "bank")))
INSTALLED = Placement(NAME, "tapper:1", temporary=False)
BOUND = (kinds.CLUSTER_ROLE.name, kinds.ROLE.name)


@cache
def _keys() -> Credentials:
    return make_credentials(("collector",))


def _placed(placement: Placement, *names: str) -> list[dict[str, Any]]:
    """Its objects of these kinds."""
    return [item for item in objects(placement, _keys(), "uid") if item["kind"] in names]


def _pod(placement: Placement, kind: str) -> dict[str, Any]:
    """The spec of the pods of the only object of a kind."""
    [item] = _placed(placement, kind)
    spec: dict[str, Any] = item["spec"]["template"]["spec"]
    return spec


class TestAgent:
    def test_it_has_three_capabilities_and_is_not_privileged(self) -> None:
        pod = _pod(EVERYWHERE, "DaemonSet")
        [container] = pod["containers"]
        security = container["securityContext"]
        assert security["capabilities"] == {"drop": ["ALL"], "add": ["NET_RAW", "SYS_ADMIN", "SYS_PTRACE"]}
        assert not security.get("privileged")
        assert security["readOnlyRootFilesystem"] is True
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert "initContainers" not in pod

    def test_it_sees_the_node_s_processes_and_has_nothing_else_of_the_node(self) -> None:
        pod = _pod(EVERYWHERE, "DaemonSet")
        assert pod["hostPID"] is True
        assert not pod.get("hostNetwork")
        assert not pod.get("hostIPC")
        assert {next(k for k in volume if k != "name") for volume in pod["volumes"]} == {"secret", "emptyDir"}
        assert "ports" not in pod["containers"][0]

    def test_what_it_asks_for_is_all_it_gets(self) -> None:
        """So that it is the last to be evicted, and takes from no other pod."""
        placement = Placement("1", "tapper:1", agent_cpu="250m", agent_memory="128Mi")
        [container] = _pod(placement, "DaemonSet")["containers"]
        amounts = {"cpu": "250m", "memory": "128Mi"}
        assert container["resources"] == {"requests": amounts, "limits": amounts}

    def test_it_runs_on_every_linux_node_that_the_image_is_for(self) -> None:
        pod = _pod(EVERYWHERE, "DaemonSet")
        assert pod["tolerations"] == [{"operator": "Exists"}]  # of any taint
        assert pod["nodeSelector"] == {"kubernetes.io/os": "linux"}
        required = pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        [[arch]] = [term["matchExpressions"] for term in required["nodeSelectorTerms"]]
        assert (arch["key"], arch["operator"]) == ("kubernetes.io/arch", "In")
        assert set(arch["values"]) <= {"amd64", "arm64"}

    def test_it_can_not_ask_the_cluster_anything(self) -> None:
        assert _pod(EVERYWHERE, "DaemonSet")["automountServiceAccountToken"] is False
        accounts = {item["metadata"]["name"]: item for item in _placed(EVERYWHERE, "ServiceAccount")}
        assert accounts[AGENT]["automountServiceAccountToken"] is False
        for placement in (EVERYWHERE, WITHIN, INSTALLED):
            bindings = _placed(placement, kinds.CLUSTER_ROLE_BINDING.name, kinds.ROLE_BINDING.name)
            assert {s["name"] for b in bindings for s in b["subjects"]} == {COLLECTOR}


def test_the_collector_is_nobody_in_particular() -> None:
    pod = _pod(EVERYWHERE, "Deployment")
    assert not any(pod.get(name) for name in ("hostPID", "hostNetwork", "hostIPC"))
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    [container] = pod["containers"]
    security = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    assert container["securityContext"] == security


@pytest.mark.parametrize("placement", [EVERYWHERE, WITHIN, INSTALLED])
def test_no_pod_listens_on_its_node(placement: Placement) -> None:
    for item in _placed(placement, "Deployment", "DaemonSet"):
        pod = item["spec"]["template"]["spec"]
        assert not pod.get("hostNetwork")
        assert not any("hostPort" in port for c in pod["containers"] for port in c.get("ports", []))
    for item in _placed(placement, "Service"):
        assert item["spec"].get("type", "ClusterIP") == "ClusterIP"


def test_pods_pull_with_the_secrets_that_were_named() -> None:
    placement = Placement("1", "registry.example/tapper:1", pull_policy="Always", pull_secrets=("one", "two"))
    for kind in ("Deployment", "DaemonSet"):
        pod = _pod(placement, kind)
        assert pod["imagePullSecrets"] == [{"name": "one"}, {"name": "two"}]
        assert [(c["image"], c["imagePullPolicy"]) for c in pod["containers"]] == [(placement.image, "Always")]


def test_the_namespace_says_which_pods_it_has() -> None:
    labels = namespace(EVERYWHERE)["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "privileged"


def _rights(placement: Placement) -> set[tuple[str | None, str, str, str | None]]:
    """Each that the collector has: in which namespace (None: in all), to do what, with what, of which name only."""
    roles = {(item["kind"], item["metadata"].get("namespace")): item for item in _placed(placement, *BOUND)}
    found = set()
    for binding in _placed(placement, kinds.CLUSTER_ROLE_BINDING.name, kinds.ROLE_BINDING.name):
        where = binding["metadata"].get("namespace")
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": COLLECTOR, "namespace": placement.namespace}]
        role = roles.pop((binding["roleRef"]["kind"], where))
        assert binding["roleRef"]["name"] == role["metadata"]["name"]
        for rule in role["rules"]:
            [group] = rule["apiGroups"]
            titles = [f"{plural}.{group}" if group else plural for plural in rule["resources"]]
            found |= {
                (where, v, t, n) for t in titles for v in rule["verbs"] for n in rule.get("resourceNames", [None])
            }
    assert not roles, "each is bound"
    return found


FOLLOWED = ("pods", "services", "endpointslices.discovery.k8s.io", "replicasets.apps", "jobs.batch")
READ = ("get", "list", "watch")


def test_the_collector_may_read_what_names_are_made_of_and_delete_its_own_namespace() -> None:
    reads = {(None, verb, what, None) for verb in READ for what in ("nodes", *FOLLOWED)}
    assert _rights(EVERYWHERE) == reads | {(None, "delete", "namespaces", "tapper-1")}


def test_with_namespaces_it_may_read_only_these() -> None:
    """Of the whole cluster only the nodes; and its own pods, to tell why an agent does not start."""
    within = {(where, verb, what, None) for where in ("shop", "bank") for verb in READ for what in FOLLOWED}
    nodes = {(None, verb, "nodes", None) for verb in READ}
    own = {(None, "delete", "namespaces", "tapper-1"), ("tapper-1", "list", "pods", None)}
    assert _rights(WITHIN) == within | nodes | own


def test_an_installed_collector_may_only_read() -> None:
    assert {verb for _, verb, _, _ in _rights(INSTALLED)} == set(READ)


@pytest.mark.parametrize("placement", [EVERYWHERE, WITHIN, INSTALLED])
def test_no_right_is_to_secrets_or_to_everything(placement: Placement) -> None:
    for role in _placed(placement, *BOUND):
        for rule in role["rules"]:
            assert not {"secrets", "configmaps", "pods/exec", "pods/log"} & set(rule["resources"])
            assert not any("*" in part for part in (*rule["apiGroups"], *rule["resources"], *rule["verbs"]))
            assert "nonResourceURLs" not in rule


@pytest.mark.parametrize("placement", [EVERYWHERE, WITHIN, INSTALLED])
def test_all_is_in_the_namespace_or_goes_with_it(placement: Placement) -> None:
    owner = {"apiVersion": "v1", "kind": "Namespace", "name": placement.namespace, "uid": "uid"}
    for item in objects(placement, _keys(), "uid"):
        meta = item["metadata"]
        assert meta.get("namespace") == placement.namespace or meta["ownerReferences"] == [owner]
        assert meta["labels"]["app.kubernetes.io/instance"] == placement.session

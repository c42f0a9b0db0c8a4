"""All objects of a placement.

Everything is in one namespace or (as owner references say) belongs to it: deleting that namespace removes it all.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tapper.kube import kinds
from tapper.kube.placement import AGENT, COLLECTOR, READ, WATCHED, object_of
from tapper.kube.workloads import agent, collector, service

if TYPE_CHECKING:
    from tapper.kube.credentials import Credentials
    from tapper.kube.kinds import Kind
    from tapper.kube.placement import Placement

    Object = dict[str, Any]


def namespace(placement: Placement) -> Object:
    """The namespace. The agent needs what only the privileged pod-security level allows: hostPID and capabilities."""
    item = object_of(kinds.NAMESPACE, placement.namespace, placement, namespaced=False)
    for mode in ("enforce", "audit", "warn"):
        item["metadata"]["labels"][f"pod-security.kubernetes.io/{mode}"] = "privileged"
    return item


def objects(placement: Placement, credentials: Credentials, namespace_uid: str | None = None) -> list[Object]:
    """All others. `namespace_uid`: what the cluster-scoped ones belong to; None: to nothing (manifests)."""
    made = [
        object_of(kinds.SERVICE_ACCOUNT, COLLECTOR, placement, automountServiceAccountToken=False),
        object_of(kinds.SERVICE_ACCOUNT, AGENT, placement, automountServiceAccountToken=False),
        *_rights(placement),
        *_secrets(placement, credentials),
        service(placement),
        collector(placement),
        agent(placement),
    ]
    if namespace_uid is not None:
        owner = {"apiVersion": "v1", "kind": "Namespace", "name": placement.namespace, "uid": namespace_uid}
        for item in made:
            if item["metadata"].get("namespace") != placement.namespace:
                item["metadata"]["ownerReferences"] = [owner]
    return made


def rules(kinds_read: tuple[Kind, ...]) -> list[Object]:
    """The right to follow these kinds, and no more."""
    groups: dict[str, list[str]] = {}
    for kind in kinds_read:
        groups.setdefault(kind.group, []).append(kind.plural)
    return [{"apiGroups": [group], "resources": plurals, "verbs": READ} for group, plurals in groups.items()]


def _rights(placement: Placement) -> list[Object]:
    everywhere = placement.selection.namespaces is None
    role = object_of(kinds.CLUSTER_ROLE, placement.namespace, placement, namespaced=False)
    role["rules"] = rules((kinds.NODE, *WATCHED) if everywhere else (kinds.NODE,))
    if placement.temporary:
        own = {"apiGroups": [""], "resources": ["namespaces"], "resourceNames": [placement.namespace]}
        role["rules"].append({**own, "verbs": ["delete"]})
    made = [role, _binding(kinds.CLUSTER_ROLE_BINDING, kinds.CLUSTER_ROLE, placement, None)]
    if everywhere:
        return made
    for name in placement.selection.namespaces or ():
        within = object_of(kinds.ROLE, placement.namespace, placement, namespace=name)
        within["rules"] = rules(WATCHED)
        made += [within, _binding(kinds.ROLE_BINDING, kinds.ROLE, placement, name)]
    agents = object_of(kinds.ROLE, COLLECTOR, placement)  # why one does not start
    agents["rules"] = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]
    return [*made, agents, _binding(kinds.ROLE_BINDING, kinds.ROLE, placement, placement.namespace, COLLECTOR)]


def _binding(kind: Kind, role: Kind, placement: Placement, within: str | None, name: str | None = None) -> Object:
    name = name or placement.namespace
    item = object_of(kind, name, placement, namespaced=within is not None, namespace=within)
    item["roleRef"] = {"apiGroup": role.group, "kind": role.name, "name": name}
    item["subjects"] = [{"kind": "ServiceAccount", "name": COLLECTOR, "namespace": placement.namespace}]
    return item


def _secrets(placement: Placement, keys: Credentials) -> list[Object]:
    config = {
        "selection": placement.selection.document(),
        "temporary": placement.temporary,
        "redact": placement.settings.redact,
        "redact_names": list(placement.settings.redact_names),
        "bodies": placement.settings.bodies,
        "body_limit": placement.settings.body_limit,
        "redact_key": keys.redact_key,
    }
    collector = {
        "ca.crt": keys.authority,
        "tls.crt": keys.collector_certificate,
        "tls.key": keys.collector_key,
        "agent-token": keys.agent_token,
        "api-token": keys.api_token,
        "tap.json": json.dumps(config),
    }
    agent = {
        "ca.crt": keys.authority,
        "tls.pem": keys.agent_certificate + keys.agent_key,
        "agent-token": keys.agent_token,
    }
    return [
        object_of(kinds.SECRET, name, placement, type="Opaque", stringData=data, immutable=placement.temporary)
        for name, data in ((COLLECTOR, collector), (AGENT, agent))
    ]

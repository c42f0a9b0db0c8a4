"""Kubeconfig files as one, as kubectl merges them: of each thing the first file that says it, paths of that file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tapper.kube.refusals import KubeError

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # 300 clusters took the other 1.2 s
_CLUSTER_FILES = ("certificate-authority",)
_USER_FILES = ("client-certificate", "client-key", "tokenFile")
_TLS = ("certificate-authority", "insecure-skip-tls-verify", "client-certificate")
"""Keys with one of which a server without a scheme is one of https."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a context says; paths are absolute, and keys without a value are left out."""

    context: str
    namespace: str
    cluster: dict[str, Any]
    user: dict[str, Any]


def chosen(path: str, context: str | None) -> Chosen:
    """Of a context, None: the current one; `path` may name several files, as KUBECONFIG does.

    Raises:
        KubeError: they have no such context, or not what it names.
        Exception: a file holds anything else.
    """
    files = [found for part in path.split(os.pathsep) if (found := _document(part)) is not None]
    name = context or next((str(one["current-context"]) for one in files if one.get("current-context")), "")
    contexts, clusters, users = (_named(files, kind) for kind in ("contexts", "clusters", "users"))
    if wrong := _wrong(name, contexts, clusters, users):
        raise KubeError(f"the kubeconfig {path} {wrong}")
    told = contexts[name].get("context") or {}
    cluster = clusters[told["cluster"]].get("cluster") or {}
    user = (users[told["user"]].get("user") or {}) if told.get("user") else {}
    if "://" not in (server := str(cluster.get("server", ""))):
        secure = any(key.startswith(_TLS) for key in (*cluster, *user))
        cluster["server"] = f"{'https' if secure else 'http'}://{server or 'localhost:8080'}"
    return Chosen(name, str(told.get("namespace") or "default"), cluster, user)


def _document(path: str) -> dict[str, Any] | None:
    """What a file holds; None: there is none, or it is empty."""
    file = Path(path).expanduser()
    found = yaml.load(file.read_bytes(), _LOADER) if path and file.is_file() else None  # noqa: S506
    if found is None:
        return None
    if not isinstance(found, dict):
        raise TypeError(f"{path} holds no settings")
    folder = file.absolute().parent
    for kind, keys in (("cluster", _CLUSTER_FILES), ("user", _USER_FILES)):
        for item in found.get(f"{kind}s") or []:
            item[kind] = {key: value for key, value in (item.get(kind) or {}).items() if value not in (None, "")}
            item[kind] |= {key: str(folder / item[kind][key]) for key in keys if key in item[kind]}
            plugin = item[kind].get("exec")
            if plugin and os.sep in str(plugin.get("command")):  # others are looked for in PATH
                plugin["command"] = str(folder / Path(plugin["command"]).expanduser())
    return found


def _named(files: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in files:
        for item in one.get(kind) or []:
            found.setdefault(str(item["name"]), item)
    return found


def _wrong(name: str, contexts: dict[str, Any], clusters: dict[str, Any], users: dict[str, Any]) -> str | None:
    """What of the context's settings is missing."""
    there = ", ".join(sorted(contexts))
    if not contexts:
        return "can't be used: it has no contexts"
    if not name:
        return f"has no current context: choose one with --context; there are: {there}"
    if name not in contexts:
        return f"has no context {name}; there are: {there}"
    told = contexts[name].get("context") or {}
    if told.get("cluster") not in clusters:
        return f"can't be used: its context {name} is of the cluster {told.get('cluster')}, which it does not have"
    if told.get("user") and told["user"] not in users:
        return f"can't be used: its context {name} is of the user {told['user']}, whom it does not have"
    return None

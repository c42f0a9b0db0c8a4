"""A kubeconfig, read as kubectl reads it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from kubernetes.aio.config.kube_config import FileOrData, KubeConfigLoader, KubeConfigMerger

from tapper.kube.objects import moment
from tapper.kube.plugin import credential
from tapper.kube.refusals import KubeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubernetes.aio.client import Configuration

RENEW_BEFORE_NS = 5 * 60 * 1_000_000_000


class Loader(KubeConfigLoader):  # type: ignore[misc]  # the client is typed only in part
    """The official one goes on as nobody where a credential plugin fails, and hides how its user may log in."""

    told: Callable[[str], None]
    """Gets what a plugin is waited for."""
    _until: int | None = None
    """When the plugin's credential ends, ns since the epoch."""
    _had = False

    async def load_from_exec_plugin(self) -> bool:
        """Runs the plugin, unless what it gave is still good.

        Raises:
            KubeError: it gives nothing, and gave nothing before.
        """
        if self._until is not None and time.time_ns() < self._until - RENEW_BEFORE_NS:
            return True
        folder = self._get_base_path(self._cluster.path)
        try:
            status = await credential(self._user["exec"].value, folder, self.told, alone=self._had)
        except KubeError:
            if not self._had:
                raise
            return True  # the API server tells when it does not accept the last one any more
        self._had = True
        self._until = moment(status.get("expirationTimestamp"))
        if "token" in status:
            self.token = f"Bearer {status['token']}"
        if "clientCertificateData" in status:
            self.cert_file, self.key_file = (
                FileOrData(status, None, data_key_name=key, base64_file_content=False).as_file()
                for key in ("clientCertificateData", "clientKeyData")
            )
        return True


async def load(path: str, context: str | None, configuration: Configuration, told: Callable[[str], None]) -> Loader:
    """Settings of a context, None: the current one; `path` may name several files, as KUBECONFIG does.

    Raises:
        KubeError: they can't be used; the message says why.
    """
    try:
        files = {part: found for part in path.split(os.pathsep) if (found := _document(part)) is not None}
        # of several files, the first that says something of a thing holds
        name = context or next(
            (str(one["current-context"]) for one in files.values() if one.get("current-context")), ""
        )
        if wrong := _wrong(list(files.values()), name):
            raise KubeError(f"the kubeconfig {path} {wrong}")
        merged = KubeConfigMerger(os.pathsep.join(files)).config
        loader = Loader(merged, active_context=name, config_base_path=None)
        loader.told = told
        await loader.load_and_set(configuration)
    except KubeError:
        raise
    except Exception as error:  # a file that holds anything
        raise KubeError(f"the kubeconfig {path} can't be used: {error}") from error
    return loader


def _document(path: str) -> dict[str, Any] | None:
    """What a file holds; None: there is none, or it is empty."""
    file = Path(path).expanduser()
    found = yaml.safe_load(file.read_bytes()) if path and file.is_file() else None
    if found is not None and not isinstance(found, dict):
        raise TypeError(f"{path} holds no settings")
    return found


def _wrong(files: list[dict[str, Any]], name: str) -> str | None:
    """What of the context's settings is missing."""
    contexts, clusters, users = (_named(files, kind) for kind in ("contexts", "clusters", "users"))
    there = ", ".join(sorted(contexts))
    if not contexts:
        return "can't be used: it has no contexts"
    if not name:
        return f"has no current context: choose one with --context; there are: {there}"
    if name not in contexts:
        return f"has no context {name}; there are: {there}"
    told = contexts[name]["context"]
    if told.get("cluster") not in clusters:
        return f"can't be used: its context {name} is of the cluster {told.get('cluster')}, which it does not have"
    if told.get("user") and told["user"] not in users:
        return f"can't be used: its context {name} is of the user {told['user']}, whom it does not have"
    return None


def _named(files: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in files:
        for item in one.get(kind) or []:
            found.setdefault(str(item["name"]), item)
    return found

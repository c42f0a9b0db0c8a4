"""A kubeconfig, read as kubectl reads it, and credentials that are had anew when they end."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

from kubernetes.aio.config.kube_config import FileOrData, KubeConfigLoader

from tapper.kube.merging import Chosen, chosen
from tapper.kube.objects import moment
from tapper.kube.plugin import cluster_info, credential
from tapper.kube.refusals import KubeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubernetes.aio.client import Configuration

PAUSE = 10.0  # seconds from one renewal to the next: a plugin that fails is not run for every request


class Loader(KubeConfigLoader):  # type: ignore[misc]  # the client is typed only in part
    """The official one goes on as nobody where a credential plugin fails, and hides how its user may log in."""

    def __init__(self, settings: Chosen, configuration: Configuration, told: Callable[[str], None]) -> None:
        """`told` gets what a plugin is waited for."""
        one = {
            "contexts": [{"name": settings.context, "context": {"cluster": "it", "user": "it"}}],
            "clusters": [{"name": "it", "cluster": settings.cluster}],
            "users": [{"name": "it", "user": settings.user}],
        }
        super().__init__(one, active_context=settings.context, config_base_path="")
        self.settings = settings
        self._configuration = configuration
        self._told = told
        self._until: int | None = None
        """When the plugin's credential ends, ns since the epoch; None: never."""
        self._had = False
        self._not_before = 0.0
        self._turn = asyncio.Lock()

    async def fresh(self, *, refused: bool = False) -> None:
        """Has the configuration's credentials anew if they have ended, or were refused."""
        if refused:
            self._until = 0
        async with self._turn:
            if self.provider is None:
                await self._load_authentication()
                self._set_config(self._configuration)

    async def _load_authentication(self) -> None:
        """As kubectl: over plain HTTP nobody is told who one is."""
        if str(self.settings.cluster["server"]).startswith("https://"):
            await super()._load_authentication()

    async def load_from_exec_plugin(self) -> bool:
        """Runs the plugin, unless what it gave is still good.

        Raises:
            KubeError: it gives nothing, and gave nothing before.
        """
        settings = self.settings.user["exec"]
        if self._had:
            if self._until is None or time.time_ns() < self._until or time.monotonic() < self._not_before:
                return True
            self._not_before = time.monotonic() + PAUSE
        about = cluster_info(self.settings.cluster) if settings.get("provideClusterInfo") else None
        try:
            status = await credential(settings, about, self._told, alone=self._had)
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

    def _load_user_token(self) -> bool:
        """A token's file holds before a token, and is read each time: whoever writes it renews it."""
        token = str(self.settings.user.get("token", "")).strip()
        if file := self.settings.user.get("tokenFile"):
            try:
                token = Path(file).read_text().strip()
            except (OSError, ValueError) as error:
                if hasattr(self, "token"):  # the last that was read
                    return True
                if not token:
                    raise KubeError(f"the kubeconfig's token file {file} can't be read: {error}") from error
        if token:
            self.token = f"Bearer {token}"
        return bool(token)


async def load(path: str, context: str | None, configuration: Configuration, told: Callable[[str], None]) -> Loader:
    """Settings of a context, None: the current one; `path` may name several files, as KUBECONFIG does.

    Raises:
        KubeError: they can't be used; the message says why.
    """
    try:
        loader = Loader(chosen(path, context), configuration, told)
        await loader.load_and_set(configuration)
    except KubeError:
        raise
    except Exception as error:  # a file that holds anything
        raise KubeError(f"the kubeconfig {path} can't be used: {error}") from error
    return loader

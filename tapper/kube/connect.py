"""From kubectl's ways of saying which cluster (kubeconfig, context, user to act as) to a Cluster."""

from __future__ import annotations

import os
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tapper.kube.cluster import Cluster, Origin
from tapper.kube.refusals import KubeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

OWN_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True, slots=True)
class Access:
    """Which cluster, and as whom; the words are kubectl's."""

    kubeconfig: str | None = None
    """Path; None: KUBECONFIG (which may name several) or ~/.kube/config."""
    context: str | None = None
    as_user: str | None = None
    as_groups: tuple[str, ...] = ()
    request_timeout: float | None = None
    told: Callable[[str], None] = lambda text: None
    """Gets what is waited for before the cluster can be asked."""


def _leave_out_blocking_client() -> None:
    """The package `kubernetes` by itself imports the blocking client, which takes longer than all else of a start."""
    if "kubernetes" not in sys.modules and (found := find_spec("kubernetes")) is not None:
        sys.modules["kubernetes"] = module_from_spec(found)


@asynccontextmanager
async def connect(access: Access) -> AsyncIterator[Cluster]:
    """A cluster of the kubeconfig.

    Raises:
        KubeError: there is no kubeconfig, or it can't be used.
    """
    _leave_out_blocking_client()
    from kubernetes.aio.client import Configuration

    from tapper.kube.kubeconfig import load

    path = access.kubeconfig or os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    if not any(Path(part).expanduser().is_file() for part in path.split(os.pathsep)):
        raise KubeError(f"no kubeconfig at {path}: name one with --kubeconfig or KUBECONFIG")
    configuration = Configuration()
    loader = await load(path, access.context, configuration, access.told)
    configuration.refresh_api_key_hook = lambda _: loader.fresh()
    origin = Origin(
        context=loader.settings.context,
        namespace=loader.settings.namespace,
        server=configuration.host,
        impersonated=access.as_user,
    )
    headers = {"Impersonate-User": access.as_user} if access.as_user else {}
    if access.as_groups:
        if not access.as_user:
            raise KubeError("--as-group needs --as")
        headers["Impersonate-Group"] = ",".join(access.as_groups)
    renew = partial(loader.fresh, refused=True)
    async with Cluster(configuration, origin, headers, access.request_timeout, renew) as cluster:
        yield cluster


@asynccontextmanager
async def connect_inside() -> AsyncIterator[Cluster]:
    """The cluster that this process is a pod of, as its service account; its namespace is the origin's.

    Raises:
        KubeError: it is no pod, or has no service account.
    """
    _leave_out_blocking_client()
    from kubernetes.aio.client import Configuration
    from kubernetes.aio.config import ConfigException, load_incluster_config

    configuration = Configuration()
    try:
        load_incluster_config(client_configuration=configuration)
        namespace = OWN_NAMESPACE.read_text().strip()
    except (ConfigException, OSError) as error:
        raise KubeError(f"this is not a pod with a service account: {error}") from error
    async with Cluster(configuration, Origin(None, namespace, configuration.host)) as cluster:
        yield cluster

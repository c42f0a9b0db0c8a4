"""From kubectl's ways of saying which cluster (kubeconfig, context, user to act as) to a Cluster."""

from __future__ import annotations

import os
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tapper.kube.cluster import Cluster, Origin
from tapper.kube.refusals import KubeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_IN_NAMES = "!#$&'*+-.^_`|~"
"""Characters of a header's name beside letters and digits (RFC 9110 section 5.6.2), but for that of the escapes."""


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
    """A cluster of the kubeconfig; in a pod without one, that of the pod.

    Raises:
        KubeError: there is no kubeconfig, or it can't be used.
    """
    _leave_out_blocking_client()
    from kubernetes.aio.client import Configuration

    from tapper.kube.kubeconfig import load

    path = access.kubeconfig or os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    if not any(Path(part).expanduser().is_file() for part in path.split(os.pathsep)):
        if access.kubeconfig is None and access.context is None and (SERVICE_ACCOUNT / "token").is_file():
            async with connect_inside(access) as cluster:
                yield cluster
            return
        raise KubeError(f"no kubeconfig at {path}: name one with --kubeconfig or KUBECONFIG")
    configuration = Configuration()
    loader = await load(path, access.context, configuration, access.told)
    configuration.refresh_api_key_hook = lambda _: loader.fresh()
    settings = loader.settings
    acting = _acting(access, settings.user)
    origin = Origin(settings.context, settings.namespace, configuration.host, impersonated=acting.get("as"))
    renew = partial(loader.fresh, refused=True)
    async with Cluster(configuration, origin, _headers(acting), access.request_timeout, renew) as cluster:
        yield cluster


def _acting(access: Access, user: dict[str, Any]) -> dict[str, Any]:
    """As whom: what is asked for, else what the kubeconfig's user says, by its keys."""
    given = {"as": access.as_user, "as-groups": access.as_groups}
    acting = {key: user[key] for key in ("as", "as-uid", "as-groups", "as-user-extra") if user.get(key)}
    acting |= {key: value for key, value in given.items() if value}
    if acting and "as" not in acting:
        raise KubeError("--as-group needs --as" if access.as_groups else "the kubeconfig's as-groups need its as")
    return acting


def _headers(acting: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Of whom one acts as (Kubernetes' reference, Authentication, User impersonation)."""
    made = [
        (f"Impersonate-{name}", str(acting[key])) for key, name in (("as", "User"), ("as-uid", "Uid")) if key in acting
    ]
    made += [("Impersonate-Group", str(group)) for group in acting.get("as-groups", ())]
    for key, values in acting.get("as-user-extra", {}).items():
        made += [(f"Impersonate-Extra-{quote(key, safe=_IN_NAMES)}", str(value)) for value in values]
    return tuple(made)


@asynccontextmanager
async def connect_inside(access: Access | None = None) -> AsyncIterator[Cluster]:
    """The cluster that this process is a pod of, as its service account; its namespace is the origin's.

    Raises:
        KubeError: it is no pod, or has no service account.
    """
    _leave_out_blocking_client()
    from kubernetes.aio.client import Configuration
    from kubernetes.aio.config import ConfigException
    from kubernetes.aio.config.incluster_config import InClusterConfigLoader

    configuration = Configuration()
    try:
        InClusterConfigLoader(SERVICE_ACCOUNT / "token", SERVICE_ACCOUNT / "ca.crt").load_and_set(configuration)
        namespace = (SERVICE_ACCOUNT / "namespace").read_text().strip()
    except (ConfigException, OSError) as error:
        raise KubeError(f"this is not a pod with a service account: {error}") from error
    asked = access or Access()
    acting = _acting(asked, {})
    origin = Origin(None, namespace, configuration.host, impersonated=acting.get("as"))
    async with Cluster(configuration, origin, _headers(acting), asked.request_timeout) as cluster:
        yield cluster

"""Options of commands that talk to a cluster: kubectl's for which cluster and as whom, and what to place in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from tapper.cli.problems import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from tapper.kube.connect import Access
    from tapper.kube.placement import Placement
    from tapper.kube.selection import Selection


@dataclass(frozen=True, slots=True)
class Cluster:
    """Which cluster, and as whom."""

    kubeconfig: str | None
    context: str | None
    as_user: str | None
    as_group: tuple[str, ...]
    request_timeout: str

    def access(self) -> Access:
        """For `tapper.kube.connect`."""
        from tapper.kube.connect import Access

        seconds = time_of("--request-timeout", self.request_timeout)
        return Access(self.kubeconfig, self.context, self.as_user, self.as_group, seconds or None, say)


def time_of(option: str, text: str) -> float:
    """Seconds of kubectl's 30, 30s, 1m30s, 1.5s, 500ms."""
    from tapper.filter.units import duration_ns

    nanoseconds = duration_ns(f"{text}s" if text.isdecimal() else text)
    if nanoseconds is None or nanoseconds < 0:
        raise click.BadParameter(f"{option} takes 30, 30s, 1m30s, 500ms")
    return nanoseconds / 1e9


@dataclass(frozen=True, slots=True)
class Placing:
    """What to place, and how."""

    image: str | None
    image_pull_policy: str | None
    image_pull_secret: tuple[str, ...]
    agent_cpu: str
    agent_memory: str

    def placement(self, session: str, selection: Selection, **more: Any) -> Placement:
        """For `tapper.kube.session`."""
        from tapper.kube.placement import Placement

        return Placement(
            session=session,
            image=self.image or os.environ.get("TAPPER_IMAGE") or default_image(),
            selection=selection,
            pull_policy=self.image_pull_policy,
            pull_secrets=self.image_pull_secret,
            agent_cpu=self.agent_cpu,
            agent_memory=self.agent_memory,
            **more,
        )


def default_image() -> str:
    """As `make image` builds it."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"tapper:{version('tapper')}"
    except PackageNotFoundError:  # run from its sources
        return "tapper:latest"


_CLUSTER = (
    click.option("--kubeconfig", metavar="FILE", help="Default: KUBECONFIG, else ~/.kube/config; in a pod its own."),
    click.option("--context", metavar="NAME", help="Of the kubeconfig. Default: its current one."),
    click.option("--as", "as_user", metavar="USER", help="Act as that user."),
    click.option("--as-group", multiple=True, metavar="GROUP", help="Act as in that group."),
    click.option("--request-timeout", default="0", metavar="TIME", help="For one API server request: 30s, 1m30s."),
)
_PLACING = (
    click.option("--image", metavar="NAME", help="Of agent and collector. Default: TAPPER_IMAGE, else this version's."),
    click.option("--image-pull-policy", type=click.Choice(("Always", "IfNotPresent", "Never")), help="As in pods."),
    click.option(
        "--image-pull-secret", multiple=True, metavar="NAME", help="Secret of the current namespace to pull with."
    ),
    click.option("--agent-cpu", default="500m", show_default=True, metavar="CPU", help="Each agent may use."),
    click.option("--agent-memory", default="256Mi", show_default=True, metavar="SIZE", help="Each agent may use."),
)


def cluster_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds those of `Cluster`."""
    for option in reversed(_CLUSTER):
        command = option(command)
    return command


def placing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds those of `Placing`."""
    for option in reversed(_PLACING):
        command = option(command)
    return command

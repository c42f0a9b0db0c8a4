"""`tapper install`: agents and collector that stay in a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tapper.cli import exits
from tapper.cli.cluster_options import Cluster, Placing, cluster_options, placing_options
from tapper.cli.options import reading_options
from tapper.cli.values import Reading, gather

if TYPE_CHECKING:
    from tapper.kube.placement import Placement

READY_SECONDS = 120.0


@click.command("install", short_help="Place agents and a collector that stay in a cluster.")
@click.argument("pods", nargs=-1, metavar="[POD...]")
@click.option("-n", "--namespace", "namespaces", multiple=True, metavar="NAME", help="To tap. Default: all.")
@click.option("-l", "--selector", default="", metavar="LABELS", help="Only pods with these labels: app=x,tier!=cache.")
@click.option(
    "--print",
    "shown",
    type=click.Choice(("all", "secrets")),
    help="Place nothing: print the objects as YAML, or only the secrets with new keys (for manifests/kustomize).",
)
@reading_options
@placing_options
@cluster_options
def command(pods: tuple[str, ...], namespaces: tuple[str, ...], selector: str, shown: str | None, **values: Any) -> int:
    """Places in the namespace `tapper` what a tap places for a while, to stay: it taps by itself, keeps the newest
    2 million requests (2 GiB), and `tapper attach` shows them. Run again, it changes what is there to be like this.

    Who may not place anything, but may read the secret `tapper-collector` there and forward ports, can attach.

    \b
    tapper install                         taps all pods of the cluster
    tapper install -n shop -n payments     those of two namespaces
    tapper install --print all > tapper.yaml
    """
    import asyncio

    from tapper.kube.placement import NAME, Settings
    from tapper.kube.selection import Selection

    reading = gather(Reading, values)
    cluster, placing = gather(Cluster, values), gather(Placing, values)
    if reading.names or reading.proto:
        raise click.UsageError("--names and --proto: not here; names come from the cluster")
    settings = Settings(
        redact=reading.redact,
        redact_names=tuple(name.lower() for name in reading.redact_names),
        bodies=reading.bodies,
        body_limit=reading.body_limit,
    )
    selection = Selection(pods, namespaces or None, selector)
    placement = placing.placement(NAME, selection, settings=settings, temporary=False)
    if shown is not None:
        import yaml

        from tapper.kube.installing import documents

        click.echo(yaml.safe_dump_all(documents(placement, secrets_only=shown == "secrets"), sort_keys=False), nl=False)
        return exits.OK
    return asyncio.run(_install(cluster, placement))


async def _install(cluster_of: Cluster, placement: Placement) -> int:
    from tapper.cli.tapping.lines import Lines
    from tapper.kube.connect import connect
    from tapper.kube.installing import install
    from tapper.kube.rights import require
    from tapper.kube.starting import ready

    lines = Lines(quiet=False)
    async with connect(cluster_of.access()) as cluster:
        await require(cluster, placement)
        lines.placing(placement)
        session = await install(cluster, placement)
        progress = await ready(session, READY_SECONDS, lines.progress, every=True)
    agents = f"agents on {progress.agents} of {progress.nodes + len(progress.away)} nodes"
    lines.say(f"installed in namespace {placement.namespace}: the collector, and {agents}")
    for problem in () if progress.ready else progress.problems:
        lines.say(f"not ready: {problem}")
    for node in progress.away:
        lines.say(f"not ready: node {node} itself; its agent begins once it is")
    lines.say("look: tapper attach     remove: tapper uninstall")
    return exits.OK

"""`tapper clean`: removes what taps left in a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tapper.cli import exits
from tapper.cli.cluster_options import Cluster, cluster_options, time_of
from tapper.cli.values import gather

if TYPE_CHECKING:
    from tapper.kube.cluster import Cluster as Reached


@click.command("clean", short_help="Remove what taps left in a cluster.")
@click.argument("session", required=False)
@click.option("--dry-run", is_flag=True, help="Only list it.")
@click.option("--installed", is_flag=True, help="Also what `tapper install` placed.")
@click.option("--timeout", default="60s", show_default=True, metavar="TIME", help="How long to wait until it is gone.")
@cluster_options
def command(session: str | None, dry_run: bool, installed: bool, timeout: str, **values: Any) -> int:
    """Removes all that taps placed in the cluster, or that of one SESSION; taps that run end.

    Lists what it removes on standard output, one object a line; nothing there, nothing is said.
    """
    import asyncio

    seconds = time_of("--timeout", timeout)
    cluster = gather(Cluster, values)
    return asyncio.run(clean_up(cluster, session, dry_run=dry_run, installed=installed, seconds=seconds))


async def clean_up(
    cluster_of: Cluster, session: str | None, *, dry_run: bool, installed: bool, seconds: float = 60
) -> int:
    """Lists what is there of one session, or of all, and removes it; the exit code."""
    from tapper.kube.connect import connect
    from tapper.kube.refusals import ApiError, KubeError

    async with connect(cluster_of.access()) as cluster:
        try:
            return await _clean_up(cluster, session, dry_run=dry_run, installed=installed, seconds=seconds)
        except ApiError as error:
            if error.status != 403:
                raise
            raise KubeError(f"{error}\nAsk whoever runs the cluster to run `tapper clean`.") from error


async def _clean_up(at: Reached, session: str | None, *, dry_run: bool, installed: bool, seconds: float) -> int:
    import asyncio

    from tapper.cli.problems import say
    from tapper.kube import kinds, sessions
    from tapper.kube.placement import NAME
    from tapper.model.text import clean

    left = await sessions.find(at, session)
    left = [one for one in left if installed or session or one.session != NAME]
    for one in left:
        click.echo(clean(f"{one}{'  (being deleted)' if one.ending else ''}"))
    if dry_run or not left:
        return exits.OK
    await sessions.remove(at, left)
    for release in sorted({one.release for one in left if one.release}):
        say(f"tapper: Helm placed this, and still lists its release: helm uninstall {release}")
    names = {one.session for one in left}
    try:
        async with asyncio.timeout(seconds):
            async for still in sessions.gone(at, session):
                if not any(one.session in names for one in still):
                    return exits.OK
    except TimeoutError:
        for one in await sessions.find(at, session):
            if one.kind is kinds.NAMESPACE:
                item = await at.get(kinds.NAMESPACE, one.name) or {}
                why = [c.get("message") for c in (item.get("status") or {}).get("conditions") or []]
                told = "".join(f"\n  {text}" for text in why if text)
                say(f"tapper: {one} is still being deleted{told}")
        return exits.ERROR
    return exits.OK

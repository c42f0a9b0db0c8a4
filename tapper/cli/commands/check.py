"""`tapper check`: whether a cluster can be tapped, and what is in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tapper.cli import exits
from tapper.cli.cluster_options import Cluster, Placing, cluster_options, placing_options
from tapper.cli.values import gather

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tapper.kube.checking import Finding

SIGNS = {"ok": ("✓", "green"), "look": ("!", "yellow"), "no": ("✗", "red")}


@click.command("check", short_help="Whether a cluster can be tapped, and what is in the way.")
@click.option("-n", "--namespace", "namespaces", multiple=True, metavar="NAME", help="To be tapped. Default: all.")
@click.option("--no-live", is_flag=True, help="Only look; place nothing.")
@placing_options
@cluster_options
def command(namespaces: tuple[str, ...], *, no_live: bool, **values: Any) -> int:
    """Says of each thing that a tap needs whether it is there, and what to do if not: the cluster, your rights,
    pod-security admission, the nodes, leftovers of earlier taps. Then it taps for a moment pods of its own, one on each
    node, to see whether the image is there, capture works and records arrive; all of that is removed again.
    """
    import asyncio

    cluster, placing = gather(Cluster, values), gather(Placing, values)
    try:
        return asyncio.run(_check(cluster, placing, namespaces, live=not no_live))
    except asyncio.CancelledError:  # by a signal: all was put away
        raise KeyboardInterrupt from None


async def _check(cluster_of: Cluster, placing: Placing, namespaces: tuple[str, ...], *, live: bool) -> int:
    import asyncio
    import signal

    from tapper.cli.tapping.lines import Lines
    from tapper.kube import checking
    from tapper.kube.connect import connect
    from tapper.kube.probe import probes
    from tapper.kube.selection import Selection
    from tapper.kube.session import new_session

    lines = Lines(quiet=False)
    session = new_session()
    task = asyncio.current_task()
    assert task is not None  # noqa: S101
    for number in (signal.SIGTERM, signal.SIGHUP):  # as Ctrl-C
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    async with connect(cluster_of.access()) as cluster:
        asked = placing.placement(session, Selection(namespaces=namespaces or None))
        bad = await _told(checking.look(cluster, asked), lines)
        if bad or not live:
            if bad and live:
                lines.say("the live test is left out: it would fail")
            return exits.ERROR if bad else exits.OK

        from tapper.cli.tapping.trial import trial

        placement = placing.placement(session, probes(asked.namespace))
        bad = await _told(trial(cluster, placement, lambda text: lines.say(text, passing=True)), lines)
    return exits.ERROR if bad else exits.OK


async def _told(findings: AsyncIterator[Finding], lines: Any) -> bool:
    """Prints them; whether one of them is bad."""
    from tapper.cli.terminal import terminal
    from tapper.model.text import clean

    out = terminal()
    bad = False
    async for finding in findings:
        sign, colour = SIGNS[finding.result]
        bad = bad or finding.result == "no"
        lines.clear()
        told = clean(finding.told.replace("\n", " "))
        click.echo(f"{out.paint(sign, colour)} {clean(finding.what):<14} {told}")
        if finding.advice:
            click.echo(f"  {'':<14} {out.paint('→ ' + clean(finding.advice), bold=True)}")
    return bad

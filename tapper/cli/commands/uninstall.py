"""`tapper uninstall`: removes what `tapper install` placed."""

from __future__ import annotations

from typing import Any

import click

from tapper.cli.cluster_options import Cluster, cluster_options
from tapper.cli.values import gather


@click.command("uninstall", short_help="Remove what tapper install placed.")
@click.option("--dry-run", is_flag=True, help="Only list it.")
@cluster_options
def command(*, dry_run: bool, **values: Any) -> int:
    """Removes the agents and the collector of `tapper install`, and what they recorded. Lists what it removes."""
    import asyncio

    from tapper.cli.commands.clean import clean_up
    from tapper.kube.placement import NAME

    return asyncio.run(clean_up(gather(Cluster, values), NAME, dry_run=dry_run, installed=True))

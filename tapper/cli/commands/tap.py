"""`tapper tap`: shows what pods of a cluster say to each other, as they say it."""

from __future__ import annotations

from typing import Any

import click

from tapper.cli.cluster_options import Cluster, Placing, cluster_options, placing_options
from tapper.cli.options import (
    Filters,
    Listing,
    Web,
    filter_options,
    following_options,
    gather,
    size,
    web_options,
)


@click.command("tap", short_help="Show what pods of a cluster say to each other.")
@click.argument("pods", nargs=-1, metavar="[POD...]")
@click.option("-n", "--namespace", "namespaces", multiple=True, metavar="NAME", help="Default: the kubeconfig's.")
@click.option("-A", "--all-namespaces", is_flag=True, help="In all namespaces.")
@click.option("-l", "--selector", default="", metavar="LABELS", help="Only pods with these labels: app=x,tier!=cache.")
@click.option("--no-redact", "redact", flag_value=False, default=True, help="Let secrets leave the nodes as they are.")
@click.option("--redact-name", "redact_names", multiple=True, metavar="NAME", help="One more name of a secret.")
@click.option("--no-bodies", "bodies", flag_value=False, default=True, help="Keep heads only.")
@click.option("--body-limit", type=size, default="64K", show_default=True, metavar="SIZE", help="Kept of one body.")
@filter_options
@following_options(("table", "wide", "jsonl", "har", "none"), ("--limit",))
@web_options
@placing_options
@cluster_options
def command(pods: tuple[str, ...], **values: Any) -> int:
    """Taps pods of a cluster until you leave: by name, workload, service, or a regular expression; without a word all
    pods of the namespace.

    Agents and a collector are placed in a namespace of their own; nothing in the tapped pods changes. At the end all
    of it is removed; what a crash leaves, its collector removes within a minute, or `tapper clean` at once.

    \b
    tapper tap orders                      the pods of deployment orders, or the pod of that name
    tapper tap svc/orders -n shop          whatever is behind a service
    tapper tap -A -l app=web --errors      failed requests of these pods, in all namespaces
    tapper tap orders -o jsonl | jq .target
    """
    from tapper.cli.tapping import cluster
    from tapper.kube.placement import Settings

    settings = Settings(
        redact=values.pop("redact"),
        redact_names=tuple(name.lower() for name in values.pop("redact_names")),
        bodies=values.pop("bodies"),
        body_limit=values.pop("body_limit"),
    )
    access, web, where = gather(Cluster, values).access(), gather(Web, values), gather(Filters, values).text()
    placing = gather(Placing, values)
    namespaces = values.pop("namespaces")
    if namespaces and values["all_namespaces"]:
        raise click.UsageError("-n and -A: one of them")
    wanted = cluster.Wanted(pods, None if values.pop("all_namespaces") else namespaces, values.pop("selector"))
    seconds = values.pop("seconds")
    listing = Listing(order="time", full=True, **values)
    return cluster.tap(access, wanted, placing, settings, cluster.Shown(where, listing, web, seconds))

"""`tapper tap`: shows what pods of a cluster, or this machine, say to others, as they say it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tapper.cli import exits
from tapper.cli.cluster_options import Cluster, Placing, cluster_options, placing_options
from tapper.cli.options import filter_options, following_options, reading_options, web_options
from tapper.cli.values import Filters, Listing, Reading, Web, gather

if TYPE_CHECKING:
    from tapper.cli.tapping.raw import Raw

RAW_BYTES = 1 << 30


@click.command("tap", short_help="Show what pods of a cluster, or this machine, say as they say it.")
@click.argument("pods", nargs=-1, metavar="[POD...]")
@click.option("-n", "--namespace", "namespaces", multiple=True, metavar="NAME", help="Default: the kubeconfig's.")
@click.option("-A", "--all-namespaces", is_flag=True, help="In all namespaces.")
@click.option("-l", "--selector", default="", metavar="LABELS", help="Only pods with these labels: app=x,tier!=cache.")
@click.option("--local", is_flag=True, help="Tap this machine instead of a cluster.")
@click.option("--interface", "-i", "interfaces", multiple=True, metavar="IF", help="Of it, only this. Default: all.")
@click.option("--pid", "pids", multiple=True, type=int, metavar="PID", help="Of it, the network of this process.")
@click.option(
    "--port",
    "ports",
    multiple=True,
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help="Of it, only this TCP or UDP port.",
)
@click.option("--save", type=click.Path(path_type=Path), metavar="X.tap", help="Of it, keep the session there.")
@click.option(
    "--pcap", type=click.Path(path_type=Path), metavar="FILE", help="Of it, keep the raw packets there too (pcapng)."
)
@click.option("--pcap-bytes", metavar="SIZE", help="Size of that file to stay within (default: 1G).")
@filter_options
@following_options(("table", "wide", "jsonl", "har", "pcap", "none"), ("--limit",))
@web_options
@reading_options
@placing_options
@cluster_options
def command(pods: tuple[str, ...], *, local: bool, **values: Any) -> int:
    """Taps pods of a cluster until you leave: by name, workload, service, or a regular expression; without a word all
    pods of the namespace. With --local it taps this machine. It shows the requests in the terminal UI, or as text in a
    pipe and with -o; in the end it says what was seen, what was lost, and which calls hurt.

    Agents and a collector are placed in a namespace of their own; nothing in the tapped pods changes. At the end all
    of it is removed; what a crash leaves, its collector removes within a minute, or `tapper clean` at once.

    A pod on the host network is told from the rest of its node by the ports that it declares: what goes from or to one
    of them is recorded. One that declares none is not tapped, and that is said.

    \b
    tapper tap orders                      the pods of deployment orders, or the pod of that name
    tapper tap svc/orders -n shop          whatever is behind a service
    tapper tap -A -l app=web --errors      failed requests of these pods, in all namespaces
    tapper tap orders -o jsonl | jq .target
    sudo tapper tap --local --port 8080    calls of one port of this machine
    sudo tapper tap --local --pcap x.pcapng        its packets too, with names, requests as comments
    sudo tapper tap --local -o pcap | wireshark -k -i -
    """
    machine = {name: values.pop(name) for name in ("interfaces", "pids", "ports", "save", "pcap", "pcap_bytes")}
    where, web, reading = gather(Filters, values).text(), gather(Web, values), gather(Reading, values)
    cluster, placing = gather(Cluster, values), gather(Placing, values)
    namespaces, everywhere, labels = (values.pop(name) for name in ("namespaces", "all_namespaces", "selector"))
    seconds = values.pop("seconds")
    listing = Listing(order="time", full=True, **values)
    if local:
        if pods or namespaces or everywhere or labels:
            raise click.UsageError("--local taps this machine, not pods: leave one of them out")
        return _local(reading, machine, where, listing, web, seconds)
    if machine["pcap"] or listing.format == "pcap":
        raise click.UsageError(
            "--pcap and -o pcap go with --local: agents on nodes ship records, whose secrets are redacted, and never"
            " raw packets"
        )
    if any(machine.values()) or reading.names:
        raise click.UsageError("-i, --pid, --port, --save and --names go with --local")
    if reading.proto:
        raise click.UsageError(
            "--proto names the fields of messages where one is looked at: tapper show ID --proto FILE --collector URL,"
            " with the URL that the tap prints with --web"
        )
    if namespaces and everywhere:
        raise click.UsageError("-n and -A: one of them")

    from tapper.cli.tapping import cluster as pods_of
    from tapper.kube.placement import Settings

    settings = Settings(
        redact=reading.redact,
        redact_names=tuple(name.lower() for name in reading.redact_names),
        bodies=reading.bodies,
        body_limit=reading.body_limit,
    )
    wanted = pods_of.Wanted(pods, None if everywhere else namespaces, labels)
    shown = pods_of.Shown(where, listing, web, seconds)
    return pods_of.tap(cluster.access(), wanted, placing, settings, shown)


def _local(
    reading: Reading, machine: dict[str, Any], where: str, listing: Listing, web: Web, seconds: float | None
) -> int:
    from tapper.cli.closing import untapped
    from tapper.cli.following import Until
    from tapper.cli.problems import say
    from tapper.cli.tapping import local, showing
    from tapper.cli.tapping import raw as packets
    from tapper.cli.tapping.capturing import interfaces_of

    raw = _raw(machine.pop("pcap"), machine.pop("pcap_bytes"), listing)
    machine["interfaces"] = interfaces_of(machine["interfaces"], machine["pids"], raw, quiet=listing.quiet)
    wanted = local.wanted(reading, **machine, raw=raw)
    with Until(seconds) as until, local.tapped(wanted, until) as running:
        if not (until.over or listing.quiet):
            for line in untapped(running.feed.health().targets):
                say(line)
        showing.show(running.feed, where, listing, web, until, finish=running.stop, leave_out=running.leave_out)
        if raw is not None:
            packets.keep(running.feed, raw, wanted.title, quiet=listing.quiet)
    return exits.OK


def _raw(file: Path | None, size: str | None, listing: Listing) -> Raw | None:
    """Where the raw packets go: beside the requests, or instead of them."""
    from tapper.cli.shipping import amount
    from tapper.cli.tapping.raw import Raw
    from tapper.cli.tapping.showing import FORMATS
    from tapper.cli.values import format_of

    bound = amount(size) if size is not None else RAW_BYTES
    if format_of(listing.format, listing.output, FORMATS) != "pcap":
        if file is None and size is not None:
            raise click.UsageError("--pcap-bytes goes with --pcap FILE")
        return None if file is None else Raw(file, bound)
    if file is not None:
        raise click.UsageError("--pcap FILE shows the requests too, -o pcap only writes packets: one of them")
    return Raw(None if listing.output in (None, "-") else Path(listing.output), bound)

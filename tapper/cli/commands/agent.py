"""`tapper agent`: what runs where the traffic is."""

from __future__ import annotations

from pathlib import Path

import click

from tapper.cli.shipping import address, amount, collector_options, where


@click.command("agent", short_help="Read packets here and ship the records to a collector.")
@collector_options
@click.option(
    "--interface", "-i", "interfaces", multiple=True, metavar="IF", help="Read this interface; any: all there are."
)
@click.option("--pid", "pids", multiple=True, type=int, metavar="PID", help="Read the network namespace of a process.")
@click.option("--netns", multiple=True, metavar="PATH", help="Read a network namespace (/run/netns/NAME).")
@click.option("--pod", "pods", multiple=True, metavar="UID", help="Read the network namespace of a pod of this node.")
@click.option("--port", "ports", multiple=True, type=click.IntRange(1, 65535), help="Only this TCP or UDP port.")
@click.option("--name", metavar="NAME", help="What the collector calls this agent (default: the host's name).")
@click.option("--node", metavar="NAME", help="Node of the cluster: only targets of this node are taken.")
@click.option("--memory", default="200M", metavar="SIZE", help="Resident memory to stay within (default: 200M).")
@click.option("--cpu", default=0.5, type=float, metavar="CORES", help="Processor time to stay within (default: 0.5).")
@click.option("--spool", default="0", metavar="SIZE", help="Disk for what waits while the collector is away.")
@click.option("--spool-dir", metavar="DIR", type=click.Path(file_okay=False, exists=True), help="Where that is.")
@click.option("--health", metavar="[ADDRESS:]PORT", help="Serve /healthz, /readyz and /metrics there.")
def command(
    collector: str,
    token_file: Path,
    ca: Path | None,
    certificate: Path | None,
    interfaces: tuple[str, ...],
    pids: tuple[int, ...],
    netns: tuple[str, ...],
    pods: tuple[str, ...],
    ports: tuple[int, ...],
    name: str | None,
    node: str | None,
    memory: str,
    cpu: float,
    spool: str,
    spool_dir: str | None,
    health: str | None,
) -> None:
    """Reads packets and ships the records to a collector, until it is stopped.

    Without -i, --pid, --netns or --pod it waits for the collector to say what to tap. Needs the right to capture
    (CAP_NET_RAW; for namespaces of others CAP_SYS_ADMIN and CAP_SYS_PTRACE too). Under pressure it leaves out bodies
    first, then whole connections, and says so.

    \b
    tapper agent --collector https://10.0.0.7:7443 --token-file token --ca ca.pem -i eth0
    """
    from agent import process
    from agent.shipper import RefusedError
    from tapper.model.control import Target

    targets = [Target("interface", "" if one == "any" else one, name=one, ports=ports) for one in interfaces]
    targets += [Target("pid", str(pid), ports=ports) for pid in pids]
    targets += [Target("netns", path, name=Path(path).name, ports=ports) for path in netns]
    targets += [Target("pod", uid, ports=ports) for uid in pods]
    options = process.Options(
        collector=where(collector, token_file, ca, certificate),
        targets=tuple(targets),
        node=node,
        memory=amount(memory),
        cores=cpu if cpu > 0 else None,
        spool_disk=amount(spool),
        spool_directory=spool_dir,
        health=address(health, 0) if health else None,
        **({"name": name} if name else {}),  # type: ignore[arg-type]
    )
    try:
        process.run(options)
    except RefusedError as error:
        raise click.ClickException(str(error)) from error

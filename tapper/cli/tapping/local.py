"""A tap of this machine: a collector in this process, an agent in a child, which talk over the network as in a cluster.

The child ends with this process, whatever way that goes, and what it read until then is still shipped.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from tapper.cli.closing import untapped
from tapper.cli.tapping import child
from tapper.cli.tapping.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tapper.cli.following import Until
    from tapper.cli.tapping.raw import Raw
    from tapper.cli.values import Reading
    from tapper.collector.collector import Collector
    from tapper.feed.interface import Feed, TargetState
    from tapper.identity.local import AnyOf
    from tapper.identity.names import Claim
    from tapper.model.control import Settings, Target

    _Result = TypeVar("_Result")

READY_S = 20.0
"""An agent is ready after 1 to 2 s; on a machine that is busy it takes longer."""
END_S = 7.0
"""The agent ships what is left within 5 s."""
LOOK_S = 0.02
SWITCH_S = 0.0005
"""Whoever hears of a connection must soon have a turn: a short-lived client is gone after some milliseconds."""
TOLD = 5
"""Targets of which it is said why none of them can be tapped."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to tap, and how to keep it."""

    targets: tuple[Target, ...]
    settings: Settings
    title: str
    claims: tuple[Claim, ...] = ()
    save: Path | None = None
    names_of: tuple[str | None, ...] = (None,)
    """Network namespaces (path; None: ours) whose ends are named by their processes."""
    user_namespace: int | None = None
    """See `agent.child.Order`."""
    raw: Raw | None = None


@dataclass(slots=True)
class Tapped:
    """A tap that runs."""

    feed: Feed
    _collector: Collector
    _loop: Loop
    _agent: subprocess.Popen[bytes]
    _targets: tuple[TargetState, ...] | None = None
    """As they were when it was stopped."""

    def leave_out(self, ip: str, port: int) -> None:
        """Has the traffic of this end left out, from when the agent hears of it."""
        self._loop.call(lambda: self._collector.exclude(ip, port))

    def stop(self) -> tuple[TargetState, ...]:
        """Reads nothing more; what was read is in the feed when this returns, which then ends for who follows it.

        Gives how the targets were until then.
        """
        if self._targets is None:
            self._targets = self.feed.health().targets
        if self._agent.poll() is None:
            self._loop.call(self._collector.stop_agents)
            child.end(self._agent, END_S)
        self._collector.recording.stop()
        return self._targets


@contextmanager
def tapped(wanted: Wanted, until: Until) -> Iterator[Tapped]:
    """A tap while the block runs; afterwards nothing of it is left. It is ready, or it is time to end already.

    Raises:
        ClickException: it can't be tapped; the message says why.
        StoreError: the session can't be kept where that was asked for.
    """
    switch = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        with _owners(wanted.names_of) as owners:
            yield from _tapped(wanted, until, owners)
    finally:
        sys.setswitchinterval(switch)


def _tapped(wanted: Wanted, until: Until, owners: AnyOf) -> Iterator[Tapped]:
    from tapper.collector.collector import Collector, Options

    token = secrets.token_urlsafe(24)
    collector = Collector(
        Options(
            token,
            wanted.save,
            settings=wanted.settings,
            packets=wanted.raw.path if wanted.raw else None,
            title=wanted.title,
            claims=wanted.claims,
            owners=owners,
        )
    )
    loop = Loop()
    try:
        loop.run(collector.__aenter__())
        try:
            host, port = loop.run(collector.listen("127.0.0.1", 0))
            collector.exclude(host, port)
            loop.call(lambda: collector.set_targets(wanted.targets))
            collector.further_hints = lambda: untapped(collector.agents.targets())
            agent = _start(f"http://{host}:{port}", token, wanted)
            try:
                running = Tapped(collector.feed, collector, loop, agent)
                _wait(running, until)
                yield running
            finally:
                child.end(agent, END_S)
        finally:
            loop.run(collector.close())
    finally:
        loop.close()


@contextmanager
def _owners(namespaces: tuple[str | None, ...]) -> Iterator[AnyOf]:
    """Who has the ports of network namespaces, as far as it can be told here."""
    from tapper.identity.local import AnyOf, LocalNames

    with contextlib.ExitStack() as held:
        owners = []
        for namespace in namespaces:
            with contextlib.suppress(OSError):
                owners.append(held.enter_context(LocalNames(namespace)))
        yield AnyOf(owners)


def _start(url: str, token: str, wanted: Wanted) -> subprocess.Popen[bytes]:
    from agent.child import Order

    command = [sys.executable, "-m", "agent.child"]
    pipe = subprocess.PIPE
    order = Order(url, token, user_namespace=wanted.user_namespace)
    streams: tuple[int, ...] = ()
    with contextlib.ExitStack() as held:
        if wanted.raw is not None:
            path, size, streams = held.enter_context(wanted.raw.opened())
            order = replace(order, record=path, record_bytes=size, record_sources=len(wanted.targets))
        # in a session of its own: Ctrl-C is ours to answer
        agent = subprocess.Popen(  # noqa: S603
            command,
            stdin=pipe,
            stdout=subprocess.DEVNULL,
            stderr=pipe,
            start_new_session=True,
            env=environment(),
            pass_fds=streams,
        )
    assert agent.stdin is not None  # noqa: S101
    with contextlib.suppress(BrokenPipeError):
        agent.stdin.write(order.line())
        agent.stdin.flush()
    return agent


def environment() -> dict[str, str]:
    """Ours, but what is imported is what we were imported from, whatever the current directory has."""
    return {**os.environ, "PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _wait(running: Tapped, until: Until) -> None:
    """Until it is known of all that is wanted whether it is read, and something is."""
    end = time.monotonic() + READY_S
    while not until.over:
        targets = running.feed.health().targets
        is_read = any(target.state == "tapped" for target in targets)
        if targets and all(target.state == "tapped" or target.problem for target in targets):
            if is_read:
                return
            raise click.ClickException("\n".join(f"{t.name} can't be tapped: {t.problem}" for t in targets[:TOLD]))
        if running._agent.poll() is not None:
            said = running._agent.stderr.read(4096).decode(errors="replace") if running._agent.stderr else ""
            raise click.ClickException(f"the agent ended: {said.strip() or running._agent.returncode}")
        if time.monotonic() > end:
            if is_read:
                return
            problem = next((target.problem for target in targets if target.problem), "the agent does not answer")
            raise click.ClickException(f"after {READY_S:.0f} s nothing could be tapped: {problem}")
        time.sleep(LOOK_S)


def wanted(
    reading: Reading,
    interfaces: tuple[str, ...],
    pids: tuple[int, ...],
    ports: tuple[int, ...],
    save: Path | None,
    raw: Raw | None,
) -> Wanted:
    """What the options mean.

    Raises:
        NamesFileError: the names file can't be used.
        UsageError: the raw packets can't go where they should.
    """
    from tapper.identity.local import hosts
    from tapper.identity.names_file import read
    from tapper.model.control import Settings, Target

    targets = [Target("interface", name, name, ports=ports) for name in interfaces if name != "any"]
    targets += [Target("pid", str(pid), f"process {pid}", ports=ports) for pid in pids]
    if raw is not None:
        raw.check(len(targets))
    title = ", ".join(target.name for target in targets)
    return Wanted(
        targets=tuple(targets) or (Target("interface", "", "all interfaces", ports=ports),),
        settings=Settings(
            bodies=reading.bodies,
            body_limit=reading.body_limit,
            redact=reading.redact,
            redact_names=tuple(name.lower() for name in reading.redact_names),
        ),
        title=title or socket.gethostname(),
        claims=(*(read(Path(reading.names)) if reading.names else ()), *hosts()),
        save=save,
        names_of=_namespaces(pids, ours=bool(interfaces) or not pids),
        raw=raw,
    )


def _namespaces(pids: tuple[int, ...], *, ours: bool) -> tuple[str | None, ...]:
    """The network namespaces of these processes, each once, and our own."""
    from agent import portable

    found: dict[int, str | None] = {}
    if portable.is_needed():  # who has a socket is asked of Linux
        return ()
    for pid in (*(["self"] if ours else []), *pids):
        path = f"/proc/{pid}/ns/net"
        with contextlib.suppress(OSError):  # it is told when it is tapped
            found.setdefault(os.stat(path).st_ino, None if pid == "self" else path)  # noqa: PTH116
    return tuple(found.values())

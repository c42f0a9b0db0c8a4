"""What is told on stderr while a tap of a cluster starts and ends."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from tapper.cli.problems import say
from tapper.model.text import clean, counted

if TYPE_CHECKING:
    from tapper.kube.facts import Pod
    from tapper.kube.placement import Placement
    from tapper.kube.starting import Progress

SHOWN_PODS, SHOWN_PROBLEMS = 5, 3


class Lines:
    """What is told on stderr while a tap starts: lines that fill in on a terminal, each once elsewhere."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._live = sys.stderr.isatty()
        self._open = False

    def say(self, text: str, *, passing: bool = False) -> None:
        """A line; a passing one is overwritten by the next."""
        if self._quiet or (passing and not self._live):
            return
        self.clear()
        with contextlib.suppress(OSError):  # its terminal was closed: what was placed is removed all the same
            if passing:
                sys.stderr.write(clean(text)[:200])
                sys.stderr.flush()
            else:
                say(text)
        self._open = passing

    def clear(self) -> None:
        """Takes a passing line away."""
        if self._open:
            with contextlib.suppress(OSError):
                sys.stderr.write("\r\x1b[K")
                sys.stderr.flush()
        self._open = False

    def tapping(self, pods: list[Pod], context: str | None) -> None:
        """What is tapped."""
        nodes = sorted({pod.node or "no node yet" for pod in pods})
        shown = ", ".join(pod.scope for pod in pods[:SHOWN_PODS])
        more = f" and {len(pods) - SHOWN_PODS} more" if len(pods) > SHOWN_PODS else ""
        where = f"node {nodes[0]}" if len(nodes) == 1 else f"{len(nodes)} nodes"
        ending = f"     context {context}" if context else ""
        self.say(f"tapping  {shown}{more}  ({counted(len(pods), 'pod')}, {where}){ending}")

    def left(self, dead: list[str]) -> None:
        """What taps left that were killed before anything of theirs could remove it."""
        for name in dead:
            self.say(f"left     tapper-{name}, of a tap that was killed as it began: `tapper clean {name}` removes it")

    def placing(self, placement: Placement) -> None:
        """What is placed: a namespace at a level that not everybody would give."""
        why = "pod-security level privileged: agents look into pods' networks"
        self.say(f"placing  namespace {placement.namespace}, {why}")

    def progress(self, now: Progress) -> None:
        """How far agents and collector are."""
        if now.problems:
            self.say(f"waiting  {now.problems[0]}")
        else:
            collector = "ready" if now.collector else "starts"
            self.say(f"agent    ready on {now.agents}/{now.nodes} nodes, collector {collector}", passing=True)
        self._last = now

    def ready(self, seconds: float) -> None:
        """All that is needed is there."""
        self.say(f"agent    ready on {self._last.agents}/{self._last.nodes} nodes     {seconds:.1f} s")
        if not self._last.ready:
            self.say("         begun without the others: pods on their nodes are heard once they are ready")
            for problem in self._last.problems[:SHOWN_PROBLEMS]:
                self.say(f"         {problem}")

"""The table that a run of the benchmark ends with: what was measured, the goal, and whether it was reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from rich.table import Table


class Line(Protocol):
    """Takes a line of figures as it is measured."""

    def __call__(self, what: str, figure: str, goal: str = "", ok: bool | None = None) -> None: ...  # noqa: D102


def printed(what: str, figure: str, goal: str = "", ok: bool | None = None) -> None:
    """A line at once, of a part that runs alone."""
    print(what, figure, goal, _reached(ok), flush=True)


def _reached(ok: bool | None) -> str:
    return "" if ok is None else "yes" if ok else "NO"


@dataclass
class Report:
    """Lines of the table, as they are measured."""

    lines: list[tuple[str, str, str, str]] = field(default_factory=list)
    tshark_rate: float | None = None
    """Requests that tshark reads in a second of processor time: what other rates are compared with."""

    def line(self, what: str, figure: str, goal: str = "", ok: bool | None = None) -> None:
        """Adds a line; without `ok` it is one to know, not one to reach."""
        self.lines.append((what, figure, goal, _reached(ok)))

    def rate(self, what: str, rate: float, goal: float | None = None, ratio: float | None = None) -> None:
        """Adds a rate per second of processor time, and how many times tshark's it is."""
        times = rate / self.tshark_rate if self.tshark_rate else None
        figure = f"{rate:,.0f}/cpu-s" + (f", {times:.0f}x tshark" if times else "")
        goals = ([f">= {goal:,.0f}"] if goal else []) + ([f">= {ratio:.0f}x"] if ratio and times else [])
        reached = [rate >= goal] if goal else []
        reached += [times >= ratio] if ratio and times else []
        self.line(what, figure, ", ".join(goals), all(reached) if reached else None)

    @property
    def missed(self) -> bool:
        """Whether a goal was not reached."""
        return any(line[3] == "NO" for line in self.lines)

    def table(self) -> Table:
        """All lines."""
        table = Table("what", "figure", "goal", "reached")
        for line in self.lines:
            table.add_row(*line)
        return table

"""What changed between two maps: edges that are new, gone, slower, or failing more, each with the reason.

A difference is reported when it is large enough to matter and the samples are large enough to tell; an edge whose
samples are too few is counted, never reported as slower.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tapper.model.text import count, counted, duration, rate, share
from tapper.servicemap.graph import ENOUGH, failed_connections, traffic
from tapper.servicemap.labels import short

if TYPE_CHECKING:
    from tapper.servicemap.graph import Attributes, ServiceMap

End = tuple[str | None, str]
"""Namespace and name: what makes a node the same in two maps."""

KINDS = ("new", "gone", "slower", "more_errors")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From when on a change counts."""

    slower_factor: float = 1.5
    """p95 after / p95 before."""
    slower_ns: int = 5_000_000
    """p95 after - p95 before: below that nobody waits."""
    error_share: float = 0.01
    """Share of failing calls after - before."""
    calls: int = ENOUGH
    """Calls on each side for a p95 to be compared."""
    expected: float = 3.0
    """Calls that should have been seen in the other map at the same rate, for new and gone to be more than chance."""


DEFAULT = Thresholds()


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one edge."""

    kind: str
    """Of KINDS."""
    src: End
    dst: End
    protocol: str
    why: str
    """The figures that it rests on, in words."""
    likely_chance: bool
    """True: so few calls that it may mean nothing."""
    before: Attributes | None
    after: Attributes | None


@dataclass(frozen=True, slots=True)
class Difference:
    """All changes, worst first within a kind."""

    changes: tuple[Change, ...]
    compared: int
    """Edges that are in both maps."""
    unjudged: int
    """Edges with calls in both maps, but too few to compare latencies."""


def compare(before: ServiceMap, after: ServiceMap, thresholds: Thresholds = DEFAULT) -> Difference:
    """What is different in `after`. Edges are the same if both ends' names and the protocol are.

    Raises:
        ValueError: the maps are of different levels.
    """
    if before.level != after.level:
        raise ValueError(f"a map by {before.level} can't be compared with one by {after.level}: use the same level")
    old, new = _edges(before), _edges(after)
    both = [key for key in new if key in old]
    changes = [
        *(_appeared(key, new[key], before, thresholds) for key in new if key not in old),
        *(_disappeared(key, old[key], after, thresholds) for key in old if key not in new),
        *(change for key in both if (change := _slower(key, old[key], new[key], thresholds)) is not None),
        *(change for key in both if (change := _more_errors(key, old[key], new[key], thresholds)) is not None),
    ]
    changes.sort(key=_order)
    called = [key for key in both if old[key]["calls"] and new[key]["calls"]]
    few = sum(1 for key in called if not _comparable(old[key], new[key], thresholds))
    return Difference(tuple(changes), len(both), few)


Key = tuple[End, End, str]


def _edges(servicemap: ServiceMap) -> dict[Key, Attributes]:
    ends = {node: (data["namespace"], data["name"]) for node, data in servicemap.nodes()}
    return {(ends[src], ends[dst], edge["protocol"]): edge for src, dst, edge in servicemap.edges()}


def _order(change: Change) -> tuple[Any, ...]:
    size = traffic(change.after or change.before or {})
    names = tuple((namespace or "", name) for namespace, name in (change.src, change.dst))
    return KINDS.index(change.kind), change.likely_chance, -_weight(change), -size, names, change.protocol


def _weight(change: Change) -> float:
    """How bad it is, among its kind."""
    if change.before is None or change.after is None:
        return 0.0
    if change.kind == "slower":
        return float(change.after["p95_ns"] / max(change.before["p95_ns"], 1))
    return max(_portion(change.after, part) - _portion(change.before, part) for part in (_calls, _connections))


def _appeared(key: Key, edge: Attributes, before: ServiceMap, thresholds: Thresholds) -> Change:
    chance, doubt = _chance(edge, before, thresholds)
    return Change("new", *key, f"{_amount(edge)}, none before{doubt}", chance, None, edge)


def _disappeared(key: Key, edge: Attributes, after: ServiceMap, thresholds: Thresholds) -> Change:
    chance, doubt = _chance(edge, after, thresholds)
    return Change("gone", *key, f"none any more, {_amount(edge)} before{doubt}", chance, edge, None)


def _chance(edge: Attributes, other: ServiceMap, thresholds: Thresholds) -> tuple[bool, str]:
    """Whether the other map may lack the edge only because it is short, and the words for it."""
    if not edge["calls"] or not edge["rate"]:
        return False, ""
    expected = edge["rate"] * other.seconds
    if expected >= thresholds.expected:
        return False, ""
    return True, f"; may be chance: at that rate {expected:.1f} calls were to be expected"


def _amount(edge: Attributes) -> str:
    words = []
    if edge["calls"]:
        words.append(f"{count(edge['calls'])} calls ({rate(edge['rate'])})")
    if edge["streams"]:
        words.append(counted(edge["streams"], "stream"))
    if failed := failed_connections(edge):
        words.append(f"{count(failed)} of {counted(max(edge['connections'], failed), 'connection')} failed")
    return ", ".join(words) or counted(edge["connections"], "connection")


def _comparable(old: Attributes, new: Attributes, thresholds: Thresholds) -> bool:
    known = old["p95_ns"] is not None and new["p95_ns"] is not None
    return known and min(old["calls"], new["calls"]) >= thresholds.calls


def _slower(key: Key, old: Attributes, new: Attributes, thresholds: Thresholds) -> Change | None:
    if not _comparable(old, new, thresholds):
        return None
    was, now = old["p95_ns"], new["p95_ns"]
    if now - was < thresholds.slower_ns or now < was * thresholds.slower_factor:
        return None
    times = f" ({now / was:.1f} x)" if was else ""
    why = f"p95 {duration(was)} -> {duration(now)}{times}, of {count(old['calls'])} and {count(new['calls'])} calls"
    return Change("slower", *key, why, False, old, new)


def _more_errors(key: Key, old: Attributes, new: Attributes, thresholds: Thresholds) -> Change | None:
    reasons = []
    for part, what in ((_calls, "failing calls"), (_connections, "failing connections")):
        was, now = _portion(old, part), _portion(new, part)
        # The ranges that the true shares lie in must not touch: few calls make wide ranges.
        if now - was >= thresholds.error_share and _range(*part(new))[0] > _range(*part(old))[1]:
            (a, n), (b, m) = part(old), part(new)
            reasons.append(f"{what} {share(a, n)} of {count(n)} -> {share(b, m)} of {count(m)}")
    if not reasons:
        return None
    return Change("more_errors", *key, "; ".join(reasons), False, old, new)


def _calls(edge: Attributes) -> tuple[int, int]:
    return min(edge["errors"], edge["calls"]), edge["calls"]


def _connections(edge: Attributes) -> tuple[int, int]:
    failed = failed_connections(edge)
    return failed, max(edge["connections"], failed)


def _portion(edge: Attributes, part: Any) -> float:
    some, whole = part(edge)
    return some / whole if whole else 0.0


def _range(some: int, whole: int) -> tuple[float, float]:
    """Wilson's interval of a share, 95 %."""
    if whole == 0:
        return 0.0, 1.0
    z = 1.96
    middle = (some + z * z / 2) / (whole + z * z)
    half = z / (whole + z * z) * math.sqrt(some * (whole - some) / whole + z * z / 4)
    return middle - half, middle + half


_WORDS = {"new": "new", "gone": "gone", "slower": "slower", "more_errors": "more errors"}


def text(difference: Difference) -> str:
    """A line for each change, safe for a terminal, and one that sums up."""
    lines = [
        f"{_WORDS[change.kind]:<12} {_end(change.src)} -> {_end(change.dst)}  {short(change.protocol)}  {change.why}"
        for change in difference.changes
    ]
    kinds = [change.kind for change in difference.changes]
    sums = ", ".join(f"{kinds.count(kind)} {_WORDS[kind]}" for kind in KINDS if kind in kinds) or "no difference"
    few = f"; {difference.unjudged} with too few calls to compare latencies" if difference.unjudged else ""
    lines.append(f"{sums} ({difference.compared} edges in both{few})")
    return "\n".join(lines) + "\n"


def document(difference: Difference) -> dict[str, Any]:
    """The same as values for JSON."""
    return {
        "compared": difference.compared,
        "unjudged": difference.unjudged,
        "changes": [
            {
                "kind": change.kind,
                "src": {"namespace": change.src[0], "name": change.src[1]},
                "dst": {"namespace": change.dst[0], "name": change.dst[1]},
                "protocol": change.protocol,
                "why": change.why,
                "likely_chance": change.likely_chance,
                "before": _figures(change.before),
                "after": _figures(change.after),
            }
            for change in difference.changes
        ],
    }


def _figures(edge: Attributes | None) -> dict[str, Any] | None:
    if edge is None:
        return None
    return {name: value for name, value in edge.items() if name not in ("protocol", "first", "last")}


def _end(end: End) -> str:
    namespace, name = end
    return short(name) if namespace is None else f"{short(namespace)}/{short(name)}"

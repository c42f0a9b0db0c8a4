"""Flags of the command line as the same tree: `--status 5xx --to orders --slower 200ms`.

Flags of one name are joined by "or", different ones by "and".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tapper.filter.error import FilterError
from tapper.filter.tree import TRUE, Compare, Flag, Kind, Literal, Match, Node, OneOf, Ref, all_of, any_of
from tapper.filter.units import duration_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_STATUS = re.compile(
    r"(?P<class>[1-9])[xX]{2} | (?P<low>\d{1,9})-(?P<high>\d{1,9}) | (?P<operator>[<>]=?)\s*(?P<bound>\d{1,9})"
    r" | (?P<code>-?\d{1,9}) | (?P<text>[A-Za-z_]\w*)",
    re.VERBOSE | re.ASCII,
)
_NAMES = ("name", "service", "workload", "pod", "ip")


def flags_tree(
    *,
    status: Iterable[str] = (),
    to: Iterable[str] = (),
    from_: Iterable[str] = (),
    slower: str | None = None,
    protocol: Iterable[str] = (),
    method: Iterable[str] = (),
    path: Iterable[str] = (),
    host: Iterable[str] = (),
    errors: bool = False,
) -> Node:
    """The tree of the flags given; of none, what is always true.

    Raises:
        FilterError: a value that can't be understood; its `text` is the value.
    """
    parts = [
        _any(status, _status),
        _any(to, lambda name: _end("dst", name)),
        _any(from_, lambda name: _end("src", name)),
        _slower(slower) if slower else TRUE,
        _any(protocol, lambda name: _equal("protocol", name.lower())),
        _any(method, lambda name: _cased("operation", name)),
        _any(path, _path),
        _any(host, _host),
        Flag(Ref("failed")) if errors else TRUE,
    ]
    return all_of(parts)


def _any(values: Iterable[str], tree: Callable[[str], Node]) -> Node:
    """All the values (each may be several, with commas between), joined by "or"; of none, what is always true."""
    single = [part.strip() for value in values for part in value.split(",")]
    return any_of([tree(part) for part in single if part]) if any(single) else TRUE


def _text(value: str) -> Literal:
    return Literal(value, Kind.TEXT)


def _equal(field: str, value: str) -> Node:
    return Compare("==", Ref(field), _text(value))


def _cased(field: str, value: str) -> Node:
    """As given or in capitals: HTTP methods and names of codes are capitals, names of RPCs are not."""
    if value == value.upper():
        return _equal(field, value)
    return OneOf(Ref(field), (_text(value), _text(value.upper())))


def _status(value: str) -> Node:
    found = _STATUS.fullmatch(value)
    if found is None:
        raise FilterError("a status is 404, 5xx, 400-499, >=500 or a name such as NXDOMAIN", value, 0, len(value))
    if found["text"]:
        return _cased("status_text", value)
    if found["code"]:
        return Compare("==", Ref("status"), Literal(int(found["code"]), Kind.NUMBER))
    if found["operator"]:
        return Compare(found["operator"], Ref("status"), Literal(int(found["bound"]), Kind.NUMBER))
    if found["class"]:
        low, high = int(found["class"]) * 100, int(found["class"]) * 100 + 99
    else:
        low, high = int(found["low"]), int(found["high"])
    if low > high:
        raise FilterError(f"nothing lies between {low} and {high}", value, 0, len(value), f"{high}-{low}")
    return all_of(
        [
            Compare(">=", Ref("status"), Literal(low, Kind.NUMBER)),
            Compare("<=", Ref("status"), Literal(high, Kind.NUMBER)),
        ]
    )


def _end(end: str, value: str) -> Node:
    """`orders`, `shop/orders`, `10.0.1.7`: any name of that end, and its address."""
    namespace, slash, name = value.rpartition("/")
    if slash and not (namespace and name):
        raise FilterError("an end is a name or an address, or namespace/name", value, 0, len(value))
    named = any_of([_equal(f"{end}.{field}", name) for field in _NAMES])
    return all_of([_equal(f"{end}.namespace", namespace), named]) if slash else named


def _slower(value: str) -> Node:
    nanoseconds = duration_ns(value.strip())
    if nanoseconds is None:
        suggestion = f"{value.strip()}ms" if value.strip().isdecimal() else None
        raise FilterError(
            "a duration is written 200ms, 1.5s or 1m30s; units are ns us ms s m h", value, 0, len(value), suggestion
        )
    return Compare(">", Ref("latency"), Literal(nanoseconds, Kind.DURATION))


def _path(value: str) -> Node:
    """This path and what is below it; with `*` for anything, exactly that pattern."""
    if "*" in value:
        pattern = ".*".join(_escaped(part) for part in value.split("*"))
        return Match("matches", Ref("path"), _text(f"(?s)^{pattern}$"))
    below = value if value.endswith("/") else value + "/"
    return any_of([_equal("path", value), Match("startsWith", Ref("path"), _text(below))])


def _escaped(text: str) -> str:
    return re.sub(r"[^\w/]", lambda c: "\\" + c[0] if c[0].isascii() else c[0], text)


def _host(value: str) -> Node:
    """The host that the client named, with any port if none is given."""
    return any_of([_equal("authority", value), Match("startsWith", Ref("authority"), _text(value + ":"))])

"""The one filter language: CEL text, or flags, to a typed tree, to SQL; the same meaning for every store and front end.

`parse` and `from_flags` make a `Filter`, `Filter.compile` its SQL. `fields` lists what can be asked for, `complete`
helps to type it. A wrong filter raises `FilterError`, which knows the place. Pure: no store, no files, no clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tapper.filter.catalog import Field, Record, fields
from tapper.filter.completion import Candidate, complete
from tapper.filter.dialect import DUCKDB, Dialect, Sql
from tapper.filter.error import FilterError
from tapper.filter.flags import flags_tree
from tapper.filter.sql import Compiled, compile_tree
from tapper.filter.tree import TRUE, And, Node, all_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "DUCKDB",
    "Candidate",
    "Compiled",
    "Dialect",
    "Field",
    "Filter",
    "FilterError",
    "Record",
    "Sql",
    "complete",
    "fields",
    "for_connections",
    "from_flags",
    "narrowed",
    "parse",
]


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on records of one kind."""

    tree: Node
    record: Record = "exchange"

    @property
    def text(self) -> str:
        """Filter text of the same meaning; empty if it lets everything through."""
        return "" if self.tree == TRUE else text_of(self.tree)

    def __and__(self, other: Filter) -> Filter:
        return Filter(all_of([self.tree, other.tree]), self.record)

    def compile(self, dialect: Dialect = DUCKDB) -> Compiled:
        """Its SQL."""
        return compile_tree(self.tree, self.record, dialect)


def parse(text: str, record: Record = "exchange") -> Filter:
    """The filter of a text; empty text lets everything through.

    Raises:
        FilterError: it can't be understood; `render()` shows where and why.
    """
    from tapper.filter.parser import parse_tree

    return Filter(parse_tree(text, record), record)


def narrowed(text: str, condition: str) -> str:
    """A filter text that lets through what both do; empty text lets everything through. The condition has no ||."""
    return f"({text}) && {condition}" if text else condition


def for_connections(text: str) -> str:
    """What a filter on requests says that connections can be asked for too: all of it, or those of its terms (joined by
    the outermost &&) that have only such fields; empty text if none has.

    Raises:
        FilterError: it can't be understood.
    """
    if _of_connections(text):
        return text
    tree = parse(text).tree
    terms = tree.terms if isinstance(tree, And) else (tree,)
    return Filter(all_of([term for term in terms if _of_connections(text_of(term))])).text


def _of_connections(text: str) -> bool:
    try:
        parse(text, "connection")
    except FilterError:
        return False
    return True


def from_flags(
    text: str = "",
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
) -> Filter:
    """The filter of the command line's flags and a filter text together.

    Several values of one flag (or with commas between) are joined by "or", different flags by "and".

    Args:
        text: a filter text.
        status: `404`, `5xx`, `400-499`, `>=500`, or a name of a code: `NXDOMAIN`.
        to: name of the server's service, workload or pod, or its address; `namespace/name`.
        from_: the same of the client.
        slower: latency above this, `200ms`.
        protocol: `http`, `dns` ...
        method: or another operation; in any case if it is one in capitals.
        path: that path and what is below it, or a pattern with `*`.
        host: that the client named, with any port if none is given.
        errors: failed ones only.

    Raises:
        FilterError: the text, or the value of a flag, can't be understood.
    """
    flags = flags_tree(
        status=status,
        to=to,
        from_=from_,
        slower=slower,
        protocol=protocol,
        method=method,
        path=path,
        host=host,
        errors=errors,
    )
    return Filter(flags) & parse(text)

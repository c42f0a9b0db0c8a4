"""Columns of a feed's lists as SQL over a narrow row `e` and the endpoints of its two ends, `s` and `d`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapper.feed import rows
from tapper.feed.interface import FeedError
from tapper.store.segments import PLACE

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

ENDS = {"src": "s", "dst": "d"}
JOINS = "JOIN endpoint s ON s.id = e.src JOIN endpoint d ON d.id = e.dst"


def expression(name: str) -> str:
    """A column of EXCHANGE_ROW or CONNECTION_ROW."""
    end, _, field = name.partition("_")
    if name in ("dialled_ip", "dialled_name"):  # of few rows: joined only where asked for
        return f"(SELECT v.{field} FROM endpoint v WHERE v.id = e.dialled)"
    if end in ENDS and field != "port":
        return f"{ENDS[end]}.{field}"
    return f'e."{name}"'


def of_end(name: str) -> bool:
    """Whether it is a column of an endpoint."""
    return expression(name)[:2] in ("s.", "d.")


def split(columns: Iterable[str]) -> tuple[list[str], list[str]]:
    """The asked columns as those of the narrow row (none asked: all) and those of the payload.

    Raises:
        FeedError: there is no such column.
    """
    columns = list(columns) or rows.EXCHANGE_ROW.names
    unknown = [c for c in columns if c not in rows.EXCHANGE_ROW.names and c not in rows.PAYLOAD_ROW.names]
    if unknown:
        raise FeedError(f"no such column: {', '.join(unknown)}")
    return (
        [c for c in columns if c in rows.EXCHANGE_ROW.names],
        [c for c in columns if c in rows.PAYLOAD_ROW.names],
    )


def select_list(columns: Iterable[str], *, place: bool = False) -> str:
    """The list of a SELECT that gives these columns; after them, hidden: the payload's place and about its size."""
    names = [f'{expression(c)} AS "{c}"' for c in columns]
    if place:
        names += [f'e."{c}" AS "_{c}"' for c in PLACE]
        bodies = (
            f"greatest(e.{h}_body_bytes, e.{h}_content_bytes, e.{h}_head_bytes, 0)" for h in ("request", "response")
        )
        names.append(f"CAST(least({' + '.join(bodies)}, {1 << 40}) AS BIGINT) AS _size")
    return ", ".join(names)


def check_order(column: str, row: pa.Schema) -> str:
    """The expression to order by.

    Raises:
        FeedError: there is no such column.
    """
    if column not in row.names:
        raise FeedError(f"can't order by {column}: known are {', '.join(row.names)}")
    return expression(column)

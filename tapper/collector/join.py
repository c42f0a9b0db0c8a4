"""One call seen twice: joins the views of both ends into one record, by columns, never row by row.

Which view is the client's: as the capture says; else the one that waited longer, for the network lies between.
Latencies are each of one clock, so it does not matter how the clocks are set.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tapper.collector.fingerprint import SCHEMA, groups, id_codes, is_word, numbers
from tapper.model.schema import WORD
from tapper.model.words import NOTES

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[np.int64]

_WORSE = sum(NOTES[name][0] for name in ("partial", "gap", "no_request", "undecodable"))
_OF_CLIENT = ("time", "src", "src_port", "send_ns", "wait_ns", "receive_ns", "latency_ns", "connection", "stream")
_PLACE = ("segment", "offset", "row")
_ROLE = np.int64(1) << 61
"""Outweighs any latency."""


@dataclass(slots=True)
class Joined:
    """What came of it."""

    rows: pa.Table
    """To be kept; a revision above 0 may replace a row that is stored."""
    removed: pa.Array
    """Ids of stored rows that went into others."""
    streams: pa.Array
    """Ids of streams that went into others: their messages are there twice."""
    connections: list[tuple[int, int, int, int]] = field(default_factory=list)
    """(server's, client's, endpoint and port of who answered): two connections that are one."""
    count: int = 0
    """Records that two views became."""


def join(fresh: pa.Table, stored: pa.Table, source: npt.NDArray[np.int32]) -> Joined:
    """Joins views.

    Args:
        fresh: rows not stored yet (SCHEMA), of any number of sources, in any order.
        stored: rows of the session that have the fingerprint or the id of a fresh one.
        source: for each fresh row, a number of what captured it.
    """
    if not fresh.num_rows:
        return Joined(fresh, fresh["id"].combine_chunks(), fresh["id"].combine_chunks())
    table = pa.concat_tables([stored.cast(SCHEMA), fresh.cast(SCHEMA)]).unify_dictionaries().combine_chunks()
    count = stored.num_rows
    is_stored = np.arange(table.num_rows) < count
    ids = id_codes(table["id"])
    group = groups(table, ids, is_stored, np.concatenate([np.full(count, -1, np.int32), source]))
    sizes = np.bincount(group)
    single = sizes[group] == 1
    alone = np.flatnonzero(single & ~is_stored)
    several = np.flatnonzero(~single)
    if not several.size:
        none = table["id"].combine_chunks().slice(0, 0)
        return Joined(table.take(pa.array(alone)), none, none)
    made = _merge(table, several, group, ids, is_stored)
    made.rows = pa.concat_tables([table.take(pa.array(alone)), made.rows]).unify_dictionaries()
    return made


def _merge(table: pa.Table, rows: Numbers, group: Numbers, ids: Numbers, is_stored: npt.NDArray[np.bool_]) -> Joined:
    """One row for each call that has several."""
    latency, known = numbers(table, "latency_ns", np.int64)
    latency = np.where(known, latency, -1)
    of_server, served = numbers(table, "server_latency_ns", np.int64)
    view = {word: is_word(table["view"].combine_chunks(), word) for word in ("client", "server", "both")}
    revision = table["revision"].to_numpy().astype(np.int64)
    role = np.where(view["client"], _ROLE, 0) - np.where(view["server"], _ROLE, 0)

    # A stored row of both views stands for each of them. Older revisions of the same id step back.
    newest = np.full(ids.max() + 1, -1, np.int64)
    np.maximum.at(newest, ids, np.where(is_stored, -1, revision))
    both = rows[view["both"][rows]]
    plain = rows[~view["both"][rows]]
    outdated = np.where(is_stored[plain], newest[ids[plain]] >= 0, revision[plain] < newest[ids[plain]])
    plain = plain[~outdated]
    candidate = np.concatenate([plain, both, both])
    half = np.repeat([0, 1, 2], [len(plain), len(both), len(both)])  # as it is; the client's half; the server's
    score = np.concatenate([latency[plain] + role[plain], latency[both], np.where(served, of_server, -1)[both]])
    stale = is_stored[candidate]
    of = group[candidate]
    tie = ids[candidate]
    by_client = np.lexsort((tie, half == 2, stale, -score, of))
    by_server = np.lexsort((-tie, half == 1, stale, score, of))
    client, server = _firsts(of, by_client), _firsts(of, by_server)
    calls = of[client]

    c, s = candidate[client], candidate[server]
    twice = (ids[c] != ids[s]) | (half[client] == 1) | (half[server] == 2)
    alike = twice & (role[c] == role[s]) & (role[c] != 0) & (half[client] == 0) & (half[server] == 0)
    joined = twice & ~alike
    return _assemble(table, rows, group, ids, is_stored, revision, calls, c, s, half[server] == 2, joined)


def _firsts(of: Numbers, order: Numbers) -> Numbers:
    """The first of each group in an order that goes by group."""
    ordered = of[order]
    first = np.ones(len(ordered), bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return order[first]


def _assemble(
    table: pa.Table,
    rows: Numbers,
    group: Numbers,
    ids: Numbers,
    is_stored: npt.NDArray[np.bool_],
    revision: Numbers,
    calls: Numbers,
    c: Numbers,
    s: Numbers,
    kept_half: npt.NDArray[np.bool_],
    joined: npt.NDArray[np.bool_],
) -> Joined:
    """The rows of calls whose views are rows `c` and `s`.

    `kept_half`: the server's view is what a stored row of both knows; `joined`: there are two views at all.
    """
    place = np.full(group.max() + 1, -1, np.int64)
    place[calls] = np.arange(len(calls))
    at = place[group[rows]]

    # the id that was given out first stays; then a stored one of both views before one of a single view
    rank = np.where(is_stored[rows], 0, 4) + np.where(ids[rows] == ids[c][at], 0, 1)
    rank += np.where(is_word(table["view"].combine_chunks(), "both")[rows], 0, 2)
    keep = rows[_firsts(at, np.lexsort((ids[rows], rank, at)))]
    highest = np.zeros(len(calls), np.int64)
    np.maximum.at(highest, at, revision[rows] + is_stored[rows])

    notes = table["notes"].to_numpy()
    bad = ((notes & _WORSE) != 0) | is_word(table["outcome"].combine_chunks(), "incomplete")
    base = np.where(joined & bad[c] & ~bad[s], s, c)
    without = table["offset"].is_null().to_numpy()
    source = np.where(joined & without[base] & ~without[s], s, base)

    made = table.take(pa.array(base))
    new: dict[str, Any] = {name: table[name].take(pa.array(c)) for name in _OF_CLIENT}
    new |= {name: table[name].take(pa.array(source)) for name in _PLACE}
    new["id"] = table["id"].take(pa.array(keep))
    new["revision"] = pa.array(np.minimum(highest, 65_535).astype(np.uint16))
    mask = pa.array(joined)
    word = pa.array(["both"] * len(c)).dictionary_encode()
    new["view"] = pc.if_else(mask, word.cast(pa.utf8()), made["view"].cast(pa.utf8())).cast(WORD)
    for name, own in (("server_latency_ns", "latency_ns"), ("server_wait_ns", "wait_ns")):
        told = pc.if_else(pa.array(kept_half), table[name].take(pa.array(s)), table[own].take(pa.array(s)))
        new[name] = pc.if_else(mask, told, made[name])
    called = pc.coalesce(table["dialled"], table["dst"]).take(pa.array(c))
    called_port = pc.coalesce(table["dialled_port"], table["dst_port"]).take(pa.array(c))
    dst, port = table["dst"].take(pa.array(s)), table["dst_port"].take(pa.array(s))
    same = pc.and_(pc.equal(called, dst), pc.equal(called_port, port))
    new["dst"] = pc.if_else(mask, dst, made["dst"])
    new["dst_port"] = pc.if_else(mask, port, made["dst_port"])
    other = pc.and_(mask, pc.invert(same))
    new["dialled"] = pc.if_else(other, called, pa.scalar(None, pa.int32()))
    new["dialled_port"] = pc.if_else(other, called_port, pa.scalar(None, pa.uint16()))
    columns = [new.get(f.name, made[f.name]) for f in SCHEMA]
    made = pa.table([column.cast(f.type) for column, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)

    gone = rows[ids[rows] != ids[keep][at]]
    stored = gone[is_stored[gone]]
    streaming = gone[table["messages_sent"].take(pa.array(gone)).is_valid().to_numpy()]
    return Joined(
        made,
        _unique(table["id"], stored),
        _unique(table["id"], streaming),
        _connections(table, c[joined], s[joined]),
        int(joined.sum()),
    )


def _connections(table: pa.Table, c: Numbers, s: Numbers) -> list[tuple[int, int, int, int]]:
    """Pairs of connections, each once."""
    connection = table["connection"].to_numpy()
    pairs, first = np.unique(np.stack([connection[s], connection[c]]), axis=1, return_index=True)
    dst, port = table["dst"].to_numpy()[s[first]], table["dst_port"].to_numpy()[s[first]]
    listed = zip(*pairs.tolist(), dst.tolist(), port.tolist(), strict=True) if len(c) else ()
    return [(one, other, end, number) for one, other, end, number in listed if one != other]


def _unique(column: pa.ChunkedArray, rows: Numbers) -> pa.Array:
    taken = column.combine_chunks().take(pa.array(rows))
    codes = id_codes(taken)
    return taken.take(pa.array(np.unique(codes, return_index=True)[1]))

"""What commands show of an open source: its requests as a list, one of them, its map, two maps compared."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from tapper.cli.output import BINARY, TABLES, limit_of, output_of, target, write_lines
from tapper.cli.terminal import Visible
from tapper.cli.values import LISTS, format_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tapper.cli.source import Source
    from tapper.cli.values import Listing
    from tapper.feed.interface import Query

PAGE = 1_000
"""Rows of a table read at once."""
ORDERS = {"size": "response_body_bytes", "latency": "latency_ns", "from": "src_name", "to": "dst_name"}
"""Short names of columns to order by."""


def streams(listing: Listing, files: Sequence[str]) -> bool:
    """Whether requests can be shown while they are read: lines of JSON, or a table of what a pipe gives."""
    chosen = format_of(listing.format, listing.output, LISTS)
    return listing.order == "time" and (chosen == "jsonl" or (chosen in TABLES and "-" in files))


def requests(source: Source, where: str, listing: Listing) -> None:
    """The list of requests."""
    from tapper.feed.interface import Query

    chosen = format_of(listing.format, listing.output, LISTS)
    order = listing.order.removeprefix("-")
    limit = limit_of(listing, chosen)
    query = Query(
        where=where, order=ORDERS.get(order, order), descending=listing.order.startswith("-"), limit=limit or 0
    )
    _known_order(query.order)
    if chosen in TABLES:
        _table(source, query, chosen, listing)
        return
    from tapper.export.requests import write

    match(source, where)
    with target(listing.output, binary=chosen in BINARY) as file:
        seen = chosen == "csv" and listing.output in (None, "-") and sys.stdout.isatty()
        source.said += write(source.feed, query, chosen, Visible(file) if seen else file)


def match(source: Source, where: str) -> None:
    """Counts what the filter lets through, for the closing lines."""
    if where:
        source.where, source.matched = where, source.feed.count(where)


def _known_order(column: str) -> None:
    from tapper.feed.rows import EXCHANGE_ROW

    if column not in EXCHANGE_ROW.names:
        import difflib

        near = difflib.get_close_matches(column, [*EXCHANGE_ROW.names, *ORDERS], n=1)
        hint = f"did you mean {near[0]}?" if near else "such as time, latency, size, status, from, to"
        raise click.UsageError(f"--order: there is no column {column!r}; {hint}")


def _table(source: Source, query: Query, chosen: str, listing: Listing) -> None:
    from dataclasses import replace

    from tapper.cli.table import Table
    from ui.columns import COLUMNS, TABLE, WIDE

    match(source, query.where)
    table = Table(WIDE if chosen == "wide" else TABLE, output_of(listing.output), cut=chosen == "table")
    source.shown = 0

    def lines() -> Iterator[str]:
        for batch in source.feed.batches(replace(query, columns=COLUMNS)):
            for start in range(0, batch.num_rows, PAGE):
                page = batch.slice(start, PAGE)
                yield from table.lines(page)
                source.shown = (source.shown or 0) + page.num_rows

    write_lines(listing.output, lines())


def one(source: Source, wanted: str, listing: Listing, *, packets: bool = False, proto: Sequence[str] = ()) -> None:
    """One request in full, or its packets; `proto` names files of descriptor sets."""
    from tapper.cli import detail

    if packets:
        from tapper.cli.packets import show

        show(source, wanted, listing)
        return

    exchange = source.feed.exchange(wanted)
    if listing.format in ("json", "jsonl", "yaml", "har"):
        from tapper.export.requests import write_one

        with target(listing.output) as file:
            write_one(exchange, listing.format, file)
        return
    if listing.format not in (None, "table", "wide"):
        raise click.UsageError(f"one request can be shown as text, json, yaml or har, not as {listing.format}")
    connection = _connection(source, exchange.connection)
    schemas = None
    if exchange.protocol == "grpc":
        from tapper.cli.source import descriptors
        from tapper.feed.schemas import schemas_of

        schemas = schemas_of(source.feed, descriptors(proto))
    output = output_of(listing.output)
    write_lines(listing.output, detail.lines(exchange, connection, output, full=listing.full, schemas=schemas))


def _connection(source: Source, number: int) -> dict[str, object] | None:
    from tapper.feed.interface import ConnectionQuery
    from ui.columns import plain_rows

    rows = plain_rows(source.feed.connections(ConnectionQuery(where=f"connection == {number}", limit=1)))
    return rows[0] if rows else None


def service_map(source: Source, chosen: str, where: str, *, level: str = "service", output: str | None = None) -> None:
    """The map as a table, or in a format for other tools."""
    found = source.feed.edges(level, where)
    match(source, where)
    if chosen == "table":
        from tapper.cli import edges

        write_lines(output, edges.lines(found, output_of(output)) if found.edges.num_rows else ())
        return
    from tapper.export.map import graph, render

    with target(output, binary=chosen in BINARY) as file:
        file.write(render(graph(found), chosen))


def difference(
    old: Source, new: Source, chosen: str, where: str, *, level: str = "service", output: str | None = None
) -> bool:
    """What changed from one map to the other; whether anything did."""
    import json

    from tapper.export.map import graph
    from tapper.servicemap.difference import compare, document, text

    found = compare(graph(old.feed.edges(level, where)), graph(new.feed.edges(level, where)))
    write_lines(output, [json.dumps(document(found), indent=2) if chosen == "json" else text(found).rstrip("\n")])
    return bool(found.changes)


def saved(source: Source, path: str) -> None:
    """What to do with a session just saved."""
    from tapper.cli.problems import say

    say(f"saved {path}: {source.feed.count():,} requests; look at it with: tapper open {path}")

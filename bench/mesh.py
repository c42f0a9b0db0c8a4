"""Calls among many services: a session whose map is as large as a map may be."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from bench.repeated import Piece, pieces, recorder
from tapper.store.meta import Meta
from tapper.store.session import Session

if TYPE_CHECKING:
    from pathlib import Path

LAYERS = 6
NAMESPACES = 20
ROUND_NS = 120_000_000_000


def save(path: Path, services: int, edges: int) -> None:
    """The demo's requests with other ends, at least twice as many as edges. Each layer calls the two after it."""
    names = path.with_suffix(".yaml")  # JSON is YAML
    addresses = [f"10.8.{number >> 8}.{number & 255}" for number in range(services)]
    entries = [
        {"ip": ip, "namespace": f"team-{number % NAMESPACES}", "service": f"service-{number}"}
        for number, ip in enumerate(addresses)
    ]
    names.write_text(json.dumps(entries))
    ends = np.array(addresses)[np.array(pairs(services, edges))]
    known = next(piece.exchanges for piece in pieces(16_384) if piece.exchanges is not None)
    known = known.filter(pa.compute.equal(known["protocol"], "http"))
    meta = Meta("bench", "2026-01-01T00:00:00Z", ({"name": "mesh", "bytes": None, "problem": None},))
    with Session.create(path, meta) as session:
        into = recorder(session, names)
        for number in range(2 * edges // known.num_rows + 1):
            batch = Piece(known, None).shifted(number, number * ROUND_NS).exchanges
            assert batch is not None
            chosen = ends[np.arange(number * known.num_rows, (number + 1) * known.num_rows) % len(ends)]
            for name, side in (("src_ip", 0), ("dst_ip", 1)):
                column = pa.array(chosen[:, side]).dictionary_encode()
                batch = batch.set_column(batch.schema.get_field_index(name), batch.schema.field(name), column)
            into.add(Piece(batch, None))
        into.finish(packets=0)


def pairs(services: int, edges: int) -> list[tuple[int, int]]:
    """Who calls whom, by number."""
    chance = random.Random(7)
    layers = [range(at * services // LAYERS, (at + 1) * services // LAYERS) for at in range(LAYERS)]
    found: set[tuple[int, int]] = set()
    while len(found) < edges:
        at = chance.randrange(LAYERS - 1)
        further = min(at + chance.choice((1, 1, 2)), LAYERS - 1)
        found.add((chance.choice(layers[at]), chance.choice(layers[further])))
    return sorted(found)

"""Writing to sessions in tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tapper.store import tables
from tapper.store.meta import Meta
from tapper.store.writer import Rows, Writer
from tests.store.records import SCHEMA_MESSAGES, exchanges, payloads

if TYPE_CHECKING:
    import pyarrow as pa

    from tapper.store.partitions import Retention
    from tapper.store.session import Session

META = Meta("test", "2025-06-15T15:06:40Z")


def no_endpoints() -> pa.Table:
    return tables.ENDPOINT.empty_table()


def ends(rows: pa.RecordBatch) -> Any:
    return np.zeros(rows.num_rows, np.int32), np.ones(rows.num_rows, np.int32)


def exchange_rows(rows: list[dict[str, Any]]) -> Rows:
    made = exchanges(rows)
    return Rows(exchanges=made, exchange_ends=ends(made), payloads=payloads(made["id"], [{} for _ in rows]))


def opened(session: Session, retention: Retention | None = None) -> Writer:
    return Writer(session, SCHEMA_MESSAGES, no_endpoints, retention)

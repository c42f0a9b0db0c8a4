"""What a feed's gRPC messages are called: by files of the user, and by what servers told of themselves in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tapper.feed.interface import Query
from tapper.model.protobuf.schemas import Schemas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tapper.feed.interface import Feed

MAX_CALLS = 1_000
"""Of reflection that are looked at; clients ask the same again and again."""
MAX_MESSAGES = 1_000
"""Of one call."""


def read_sets(paths: Sequence[str]) -> tuple[bytes, ...]:
    """Files of descriptor sets.

    Raises:
        OSError: one can't be read.
        ValueError: one holds no descriptors; says which and how to make it.
    """
    sets = []
    for path in paths:
        data = Path(path).read_bytes()
        try:
            Schemas().add_set(data)
        except ValueError as error:
            raise ValueError(f"{path} {error}") from error
        sets.append(data)
    return tuple(sets)


def schemas_of(feed: Feed, sets: Sequence[bytes] = ()) -> Schemas:
    """Everything known of the messages of a feed.

    Args:
        feed: its answers of reflection are taken, however the capture was read.
        sets: descriptor sets, which count before those.
    """
    schemas = Schemas()
    for data in sets:
        schemas.add_set(data)
    query = Query(where='"reflection" in notes', limit=MAX_CALLS, columns=("id", "messages_received", "response_body"))
    for row in (row for table in feed.batches(query) for row in table.to_pylist()):
        if row["response_body"]:
            schemas.add_reflection(row["response_body"])
        elif row["messages_received"]:
            for message in feed.messages(str(row["id"]), limit=MAX_MESSAGES):
                if message.direction == "received" and message.body:
                    schemas.add_reflection(message.body)
    return schemas

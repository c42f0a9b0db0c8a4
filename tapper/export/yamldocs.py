"""YAML: a document for each record, in the shape of the JSON export."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, BinaryIO

import yaml

from tapper.export.shape import Documents

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

_Dumper: Any = type("_Dumper", (getattr(yaml, "CSafeDumper", yaml.SafeDumper),), {})


def _text(dumper: Any, text: str) -> Any:
    """Text of several lines as a block, where YAML can hold it so."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def write(tables: Iterable[pa.Table], sink: BinaryIO) -> int:
    """Writes all rows; the number of rows."""
    documents, written = Documents(), 0
    for table in tables:
        for lines in documents.lines(table):
            for line in lines.splitlines():
                sink.write(dump(json.loads(line)))
        sink.flush()
        written += table.num_rows
    return written


def dump(document: dict[str, Any]) -> bytes:
    """One document."""
    text: str = yaml.dump(
        document, Dumper=_Dumper, explicit_start=True, sort_keys=False, allow_unicode=False, width=1_000_000
    )
    return text.encode()

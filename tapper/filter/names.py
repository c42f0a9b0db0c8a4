"""What to say about a name that is no field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapper.filter.catalog import ALIASES, OTHER_WORDS, PROTOCOLS, TABLES
from tapper.filter.error import nearest
from tapper.filter.tree import Kind

if TYPE_CHECKING:
    from tapper.filter.catalog import Record


def explain(name: str, record: Record) -> tuple[str, str | None]:
    """Message and suggestion for an unknown name."""
    table = TABLES[record]
    base, _, rest = name.rpartition(".")
    if base in table and table[base].kind is Kind.HEADERS:
        return "headers are named in brackets", f'{base}["{rest}"]'
    parts = [other.removeprefix(f"{name}.") for other in table if other.startswith(f"{name}.")]
    if parts:
        return f"{name} has the parts {', '.join(parts)}", f"{name}.{parts[0]}"
    if record == "connection" and (name in TABLES["exchange"] or name in ALIASES["exchange"]):
        return f"{name} is known of requests, not of connections", None
    message = f"there is no field {name}"
    if name in PROTOCOLS:
        return message, f'protocol == "{name}"'
    other_word = OTHER_WORDS.get(name.lower())
    if other_word and (other_word in table or other_word in ALIASES[record]):
        return message, other_word
    return message, nearest(name, [*table, *ALIASES[record]])

"""How one store's SQL spells what a filter needs. Another store is another subclass of `Dialect`.

A narrow row is `e` (a table `exchange` or `connection`, or a batch with its columns), its payload `p`, the table of
endpoints `endpoint`. Values are never part of the text: they are parameters, in the order of their placeholders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tapper.filter.tree import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tapper.filter.tree import Literal


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL and the parameters of its placeholders, in order."""

    text: str
    params: tuple[bool | int | float | str, ...] = ()

    @classmethod
    def joined(cls, separator: str, parts: Iterable[Sql]) -> Sql:
        """The parts with the separator between them."""
        parts = list(parts)
        return cls(separator.join(p.text for p in parts), tuple(value for p in parts for value in p.params))

    @classmethod
    def of(cls, template: str, *parts: Sql) -> Sql:
        """The template with each `{}` replaced by a part."""
        return cls(template.format(*(p.text for p in parts)), tuple(value for p in parts for value in p.params))


class Dialect:
    """DuckDB's SQL."""

    functions: ClassVar[dict[str, str]] = {
        "contains": "contains({}, {})",
        "startsWith": "starts_with({}, {})",
        "endsWith": "ends_with({}, {})",
        "matches": "regexp_matches({}, {})",
    }
    """Templates of the methods of text."""

    def column(self, name: str) -> str:
        """A column of the narrow row."""
        return f"e.{name}"

    def payload(self, name: str) -> str:
        """A column of the payload."""
        return f"p.{name}"

    def value(self, literal: Literal) -> Sql:
        """A value, as the type of the columns that it is compared with."""
        match literal.kind:
            case Kind.TIME:
                return Sql("make_timestamp_ns(?)", (literal.value,))
            case Kind.ID:
                return Sql("CAST(? AS UUID)", (literal.value,))
            case _:
                return Sql("?", (literal.value,))

    def id_text(self) -> str:
        """The id as text, lower case with dashes."""
        return f"CAST({self.column('id')} AS VARCHAR)"

    def path(self, name: str) -> str:
        """What is before the first `?` of a text column."""
        column = self.column(name)
        return f"CASE WHEN contains({column}, '?') THEN left({column}, strpos({column}, '?') - 1) ELSE {column} END"

    def query(self, name: str) -> str:
        """What is behind the first `?`; null without one."""
        column = self.column(name)
        return f"CASE WHEN contains({column}, '?') THEN substr({column}, strpos({column}, '?') + 1) END"

    def bit(self, name: str, mask: int) -> str:
        """Whether the column has one of the bits."""
        return f"({self.column(name)} & {mask}) <> 0"

    def bit_count(self, name: str) -> str:
        """Number of its bits that are set."""
        return f"bit_count({self.column(name)})"

    def one_of(self, name: str, names: Iterable[str]) -> str:
        """Whether a column is one of these words of ours."""
        return f"{self.column(name)} IN ({', '.join(repr(word) for word in names)})"

    def total(self, *names: str) -> str:
        """Sum of the columns that are not null; null if all are. Wide enough for any 64-bit values."""
        known = f"COALESCE({', '.join(map(self.column, names))}) IS NOT NULL"
        terms = " + ".join(f"CAST(COALESCE({self.column(name)}, 0) AS HUGEINT)" for name in names)
        return f"CASE WHEN {known} THEN {terms} END"

    def length(self, text: str) -> str:
        """Characters of a text."""
        return f"length({text})"

    def byte_length(self, name: str) -> str:
        """Bytes of a body."""
        return f"octet_length({self.payload(name)})"

    def body_text(self, name: str) -> str:
        """A body as text. Bytes that are not UTF-8 (of a binary body, or where it was cut) are left out.

        DuckDB's 'replace' would swallow the character after some of them.
        """
        return f"decode({self.payload(name)}, 'ignore')"

    def any_header(self, name: str, key: str, variable: str, condition: Sql | None) -> Sql:
        """Whether a header of that name exists, or one with a value (`variable.value`) of that condition."""
        named = Sql(f"lower({variable}.name) = ?", (key,))
        wanted = named if condition is None else Sql.of("{} AND {}", named, condition)
        column = self.payload(name)
        return Sql.of(f"len(list_filter({column}, lambda {variable}: {{}})) > 0", wanted)

    def at_end(self, end: str, condition: Sql) -> Sql:
        """Whether the endpoint at an end is of that condition (over bare columns of `endpoint`)."""
        return Sql.of(f"{self.column(end)} IN (SELECT id FROM endpoint WHERE {{}})", condition)

    def end_value(self, end: str, name: str) -> str:
        """One column of the endpoint at an end."""
        return f"(SELECT n.{name} FROM endpoint n WHERE n.id = {self.column(end)})"


DUCKDB = Dialect()

"""From the tree to SQL, in one place for every store.

Of each piece of SQL made here holds: it is TRUE for a row exactly if its node is true for that row; otherwise it is
FALSE or NULL. AND and OR keep that; NOT stands only before COALESCE(..., FALSE). So WHERE can be given comparisons as
they are (which a store can answer from its statistics), and `!` is still the complement where values are absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tapper.filter.catalog import TABLES, Body, Column, EitherEnd, EndColumn, Headers
from tapper.filter.dialect import DUCKDB, Dialect, Sql
from tapper.filter.error import FilterError
from tapper.filter.tree import (
    TRUE,
    And,
    Compare,
    Const,
    Flag,
    Has,
    Kind,
    Literal,
    Match,
    Node,
    Not,
    Noted,
    OneOf,
    Operand,
    Or,
    Ref,
    Size,
    all_of,
    any_of,
    negate,
    refs,
    text_of,
)
from tapper.model import words

if TYPE_CHECKING:
    from tapper.filter.catalog import End, Field, Record
    from tapper.filter.tree import Atom

MAX_ENDPOINT_CONDITIONS = 60
"""Sub-queries on endpoints in one filter; DuckDB's time to plan grows with their cube (64: 0.3 s, 256: 8 s)."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """Conditions for WHERE, see `tapper.filter.dialect` for the names in them."""

    narrow: Sql
    """Over the narrow row alone. Of a filter with payload fields: what every match fulfils, but others may too."""
    exact: Sql | None
    """Over narrow row and payload together; None: `narrow` is exact."""
    payload_columns: frozenset[str]
    """The columns of `tapper.model.schema.PAYLOAD` that `exact` reads."""


def compile_tree(tree: Node, record: Record = "exchange", dialect: Dialect = DUCKDB) -> Compiled:
    """SQL of a tree.

    Raises:
        FilterError: more conditions on endpoints than a store can plan.
    """
    builder = _Builder(TABLES[record], dialect)
    plain = _spread(tree, negated=False, table=TABLES[record])
    columns = builder.payload_columns(plain)
    if not columns:
        compiled = Compiled(builder.condition(plain), None, frozenset())
    else:
        compiled = Compiled(builder.condition(builder.weakened(plain)), builder.condition(plain), columns)
    if max(sql.text.count("FROM endpoint") for sql in (compiled.narrow, compiled.exact or compiled.narrow)) > (
        MAX_ENDPOINT_CONDITIONS
    ):
        text = text_of(tree)
        raise FilterError(
            "too many conditions on services, pods and addresses in one filter; put values into one list: in [...]",
            text,
            0,
            len(text),
        )
    return compiled


def _spread(node: Node, *, negated: bool, table: dict[str, Field]) -> Node:
    """The same condition with `!` before atoms only, and fields of either end as those of the one or the other."""
    match node:
        case Not(term):
            return _spread(term, negated=not negated, table=table)
        case And(terms):
            parts = [_spread(term, negated=negated, table=table) for term in terms]
            return any_of(parts) if negated else all_of(parts)
        case Or(terms):
            parts = [_spread(term, negated=negated, table=table) for term in terms]
            return all_of(parts) if negated else any_of(parts)
        case _:
            alternatives = (either for atom in _by_end(node, table) for either in _by_target(atom))
            atoms: list[Node] = [negate(atom) if negated else atom for atom in alternatives]
            return all_of(atoms) if negated else any_of(atoms)


def _by_end(atom: Atom, table: dict[str, Field]) -> list[Atom]:
    """The atoms of which one must hold."""
    for ref in refs(atom):
        source = table[ref.name].source
        if isinstance(source, EitherEnd):
            return [one for name in source.names for one in _by_end(_replaced(atom, ref, Ref(name)), table)]
    return [atom]


def _by_target(atom: Atom) -> list[Atom]:
    """A condition on the path as conditions on the target, where that saves a store the cutting off of each query."""
    target = Ref("target")
    match atom:
        case Compare("==", Ref("path"), Literal(str(path), _)) if "?" not in path:
            return [
                Compare("==", target, Literal(path, Kind.TEXT)),
                Match("startsWith", target, Literal(f"{path}?", Kind.TEXT)),
            ]
        case Match("startsWith", Ref("path"), Literal(str(start), _)) if "?" not in start:
            return [Match("startsWith", target, Literal(start, Kind.TEXT))]
        case _:
            return [atom]


def _replaced(atom: Atom, old: Ref, new: Ref) -> Atom:
    def operand(value: Operand) -> Operand:
        return new if value == old else Size(new) if value == Size(old) else value

    match atom:
        case Has():
            return Has(new)
        case Compare(operator, left, right):
            return Compare(operator, operand(left), operand(right))
        case OneOf(left, values):
            return OneOf(operand(left), values)
        case Match(function, subject, argument):
            return Match(function, new if subject == old else subject, new if argument == old else argument)
        case _:
            return atom


class _Builder:
    def __init__(self, table: dict[str, Field], dialect: Dialect) -> None:
        self.table = table
        self.dialect = dialect

    def payload_columns(self, node: Node) -> frozenset[str]:
        sources = (self.table[ref.name].source for ref in refs(node))
        return frozenset(source.column for source in sources if isinstance(source, Headers | Body))

    def weakened(self, node: Node) -> Node:
        """What the narrow row can say of it: atoms about the payload, negated or not, may hold."""
        match node:
            case And(terms):
                return all_of([self.weakened(term) for term in terms])
            case Or(terms):
                return any_of([self.weakened(term) for term in terms])
            case _:
                return TRUE if self.payload_columns(node) else node

    def condition(self, node: Node, inside: End | None = None) -> Sql:
        """`inside`: the end whose endpoint is the row (a sub-query over `endpoint`); None: the row is `e`."""
        end = None if inside else self.end_of(node)
        if end:
            return self.dialect.at_end(end, self.condition(node, end))
        match node:
            case Const(value):
                return Sql("TRUE" if value else "FALSE")
            case And(terms) | Or(terms):
                parts = [self.condition(term, inside) for term in (terms if inside else self.gathered(node))]
                return Sql.of("({})", Sql.joined(" AND " if isinstance(node, And) else " OR ", parts))
            case Not(term):
                return Sql.of("NOT COALESCE({}, FALSE)", self.condition(term, inside))
            case _:
                return self.atom(node, inside)

    def gathered(self, node: And | Or) -> list[Node]:
        """The terms, those about the endpoint of one end put together: one sub-query for all of them."""
        whole, dual = (all_of, any_of) if isinstance(node, And) else (any_of, all_of)
        rest: list[Node] = []
        positive: dict[End, list[Node]] = {}
        negative: dict[End, list[Node]] = {}
        for term in node.terms:
            if end := self.end_of(term):
                positive.setdefault(end, []).append(term)
            elif isinstance(term, Not) and (end := self.end_of(term.term)):
                negative.setdefault(end, []).append(term.term)
            else:
                rest.append(term)
        return rest + [whole(t) for t in positive.values()] + [Not(dual(t)) for t in negative.values()]

    def end_of(self, node: Node) -> End | None:
        """The end that a node without `!` is all about: it can be asked of an endpoint alone."""
        if isinstance(node, Not):
            return None
        if isinstance(node, And | Or):
            ends = {self.end_of(term) for term in node.terms}
            return ends.pop() if len(ends) == 1 else None
        about = refs(node)
        source = self.table[about[0].name].source if len(about) == 1 else None
        return source.end if isinstance(source, EndColumn) else None

    def atom(self, node: Atom, inside: End | None) -> Sql:
        """One condition. The headers that it asks for are looped over outside of it."""
        dialect = self.dialect
        sources = {ref: self.table[ref.name].source for ref in refs(node)}
        headers = {ref: source for ref, source in sources.items() if isinstance(source, Headers)}
        variables = {ref: f"h{number}" for number, ref in enumerate(headers)}

        def value(operand: Operand) -> Sql:
            match operand:
                case Literal():
                    return dialect.value(operand)
                case Size(ref):
                    source = sources[ref]
                    if isinstance(source, Body):
                        return Sql(dialect.byte_length(source.column))
                    if self.table[ref.name].kind is Kind.NOTES:
                        return Sql(dialect.bit_count("notes"))
                    return Sql(dialect.length(value(ref).text))
                case ref:
                    match sources[ref]:
                        case Column(sql):
                            return Sql(sql(dialect))
                        case EndColumn(end, column):
                            return Sql(column if inside else dialect.end_value(end, column))
                        case Body(column):
                            return Sql(dialect.body_text(column))
                        case _:
                            return Sql(f"{variables[ref]}.value")

        condition: Sql | None
        match node:
            case Has(ref) if ref in headers:
                condition = None
            case Has(ref):
                source = sources[ref]
                known = Sql(dialect.payload(source.column)) if isinstance(source, Body) else value(ref)
                condition = Sql.of("{} IS NOT NULL", known)
            case Flag(ref):
                condition = value(ref)
            case Compare(operator, left, right):
                column = Sql(dialect.column("id")) if _is_id(right) else value(left)
                condition = Sql.of("{} " + _SQL_OPERATORS.get(operator, operator) + " {}", column, value(right))
            case OneOf(left, values):
                column = Sql(dialect.column("id")) if _is_id(values[0]) else value(left)
                # Not IN: there the values are cast to one type first, and 499.5 beside 2**64 - 1 becomes 500.
                each = [Sql.of("{} = {}", column, dialect.value(value)) for value in values]
                condition = Sql.of("({})", Sql.joined(" OR ", each))
            case Match(function, subject, argument):
                condition = Sql.of(dialect.functions[function], value(subject), value(argument))
            case Noted(note):
                condition = Sql(dialect.bit("notes", words.NOTES[note][0]))
            case Const():
                raise AssertionError("a constant is no atom here")
        for ref, source in headers.items():
            condition = dialect.any_header(source.column, ref.key or "", variables[ref], condition)
        assert condition is not None  # noqa: S101 -- only of a header, which was put around it
        return condition


_SQL_OPERATORS = {"==": "="}


def _is_id(operand: Operand) -> bool:
    return isinstance(operand, Literal) and operand.kind is Kind.ID

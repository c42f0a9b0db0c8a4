"""From filter text to the typed tree: walks the grammar's tree, resolves names, and says what is wrong where.

The grammar's tree has a level for each precedence. Chains of `&&`, `||`, `!` and `.` are walked in loops and anything
else that could nest without brackets is refused, so that recursion is bounded by `scan.MAX_DEPTH`.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from tapper.filter.call import asked, called
from tapper.filter.comparison import compared
from tapper.filter.grammar import parse_masked
from tapper.filter.names import explain
from tapper.filter.scan import Scanned, scan
from tapper.filter.tree import TRUE, Kind, Literal, Node, Ref, all_of, any_of, negate
from tapper.filter.typed import Context, Typed

if TYPE_CHECKING:
    import lark

    from tapper.filter.catalog import Record

    Tree = lark.Tree[lark.Token]

_LEVELS = frozenset(
    ("expr", "conditionalor", "conditionaland", "relation", "addition", "multiplication", "unary", "member", "primary")
)
_RELATIONS = {
    "relation_eq": "==",
    "relation_ne": "!=",
    "relation_lt": "<",
    "relation_le": "<=",
    "relation_gt": ">",
    "relation_ge": ">=",
    "relation_in": "in",
}
_NO_SUMS = "filters compare values, they don't calculate"


@functools.lru_cache(maxsize=64)
def parse_tree(text: str, record: Record = "exchange") -> Node:
    """The tree of a filter's text; of empty text, what is always true.

    Raises:
        FilterError: syntax, an unknown name, types that don't go together, or a bound.
    """
    scanned = scan(text)
    if not scanned.masked.strip():
        return TRUE
    return _Reader(scanned, record).condition(parse_masked(scanned))


class _Reader:
    def __init__(self, scanned: Scanned, record: Record) -> None:
        self.literals = scanned.literals
        self.context = Context(scanned.text, record)

    def condition(self, tree: Tree) -> Node:
        tree = _unwrap(tree)
        if tree.data in ("conditionalor", "conditionaland"):
            level, terms = tree.data, []
            while tree.data == level and len(tree.children) == 2:
                terms.append(_child(tree, 1))
                tree = _child(tree, 0)
            nodes = [self.condition(term) for term in (tree, *reversed(terms))]
            return any_of(nodes) if level == "conditionalor" else all_of(nodes)
        if tree.data == "paren_expr":
            return self.condition(_child(tree, 0))
        if tree.data == "unary":
            sign, inner, times = _signs(tree)
            if sign == "unary_not":
                node = self.condition(inner)
                return negate(node) if times % 2 else node
        value = self.value(tree)
        if value.condition is None:
            simple = isinstance(value.what, Ref) and value.kind is not Kind.HEADERS and value.kind is not Kind.NOTES
            suggestion = f"has({self.context.written(value)})" if simple else None
            raise self.context.wrong(value, f"a condition is expected here; this is {value.words}", suggestion)
        return value.condition

    def value(self, tree: Tree) -> Typed:
        tree = _unwrap(tree)
        whole = _place(tree)
        match tree.data:
            case "literal":
                return self.literal(whole)
            case "ident" | "member_dot":
                return self.name(tree, whole)
            case "member_index":
                return self.header(tree, whole)
            case "ident_arg":
                name = Typed(None, None, whole.start, whole.start + len(str(tree.children[0])))
                return called(self.context, whole, name, self.items(tree, 1))
            case "member_dot_arg":
                return self.method(tree, whole)
            case "list_lit":
                return Typed(tuple(self.items(tree, 0)), None, whole.start, whole.end)
            case "paren_expr":
                inner = self.value(_child(tree, 0))
                return Typed(inner.what, inner.kind, whole.start, whole.end)
            case "relation":
                return Typed(self.relation(tree, whole), Kind.BOOL, whole.start, whole.end)
            case "conditionalor" | "conditionaland":
                return Typed(self.condition(tree), Kind.BOOL, whole.start, whole.end)
            case "unary":
                return self.signed(tree, whole)
            case "addition" | "multiplication":
                raise self.context.wrong(whole, _NO_SUMS)
            case "expr":
                raise self.context.wrong(whole, "a ? b : c is not known here; use && and ||")
            case _:
                raise self.context.wrong(whole, "this has no meaning in a filter")

    def items(self, tree: Tree, index: int) -> list[Typed]:
        """The values of a list of expressions, which the grammar leaves out if it is empty."""
        trees = _child(tree, index).children if len(tree.children) > index else []
        return [self.value(item) for item in trees if not isinstance(item, str)]

    def literal(self, whole: Typed) -> Typed:
        minus = self.context.text[whole.start] == "-"
        found = self.literals.get(whole.start + minus)
        if found is None:  # null is the only literal that the scanner leaves to the grammar
            return whole
        value = Typed(found[0], found[0].kind, whole.start, whole.start + minus + found[1])
        return self.negative(value, value) if minus else value

    def signed(self, tree: Tree, whole: Typed) -> Typed:
        sign, inner, times = _signs(tree)
        if sign == "unary_not":
            return Typed(self.condition(tree), Kind.BOOL, whole.start, whole.end)
        if inner.data != "literal":
            raise self.context.wrong(whole, _NO_SUMS)
        value = self.value(inner)
        return self.negative(value, whole) if times % 2 else value

    def negative(self, value: Typed, whole: Typed) -> Typed:
        match value.what:
            case Literal(int(amount) | float(amount), (Kind.NUMBER | Kind.DURATION) as kind):
                return Typed(Literal(-amount, kind), kind, whole.start, whole.end)
            case _:
                raise self.context.wrong(value, "only a number or a duration can be negative")

    def name(self, tree: Tree, whole: Typed) -> Typed:
        name = _dotted(tree)
        if name is None:
            raise self.context.wrong(whole, "only fields have parts")
        if name in ("true", "false"):
            return Typed(Literal(name == "true", Kind.BOOL), Kind.BOOL, whole.start, whole.end)
        field = self.context.field(name)
        if field is None:
            raise self.context.wrong(whole, *explain(name, self.context.record))
        return Typed(Ref(field.name), field.kind, whole.start, whole.end)

    def header(self, tree: Tree, whole: Typed) -> Typed:
        of = _unwrap(_child(tree, 0))
        headers = self.name(of, _place(of))
        if headers.kind is not Kind.HEADERS or not isinstance(headers.what, Ref):
            raise self.context.wrong(headers, "only headers and trailers are asked for by [...]")
        key = self.context.text_literal(self.value(_child(tree, 1)))
        return Typed(Ref(headers.what.name, key.lower()), Kind.TEXT, whole.start, whole.end)

    def method(self, tree: Tree, whole: Typed) -> Typed:
        token, of = tree.children[1], _unwrap(_child(tree, 0))
        start = getattr(token, "start_pos", whole.start)
        name = Typed(None, None, start, start + len(str(token)))
        if of.data not in ("ident", "member_dot", "member_index"):
            raise self.context.wrong(_place(of), f"{token}() is asked of a field")
        return asked(self.context, whole, self.value(of), name, self.items(tree, 2))

    def relation(self, tree: Tree, whole: Typed) -> Node:
        sign = _child(tree, 0)
        left_tree, right_tree = _unwrap(_child(sign, 0)), _unwrap(_child(tree, 1))
        if left_tree.data == "relation":
            raise self.context.wrong(whole, "comparisons don't chain; write 1 < size && size < 10")
        left = self.value(left_tree)
        if left.kind is Kind.TEXT:
            self.check_quoted(right_tree)
        return compared(self.context, _RELATIONS[sign.data], left, self.value(right_tree))

    def check_quoted(self, tree: Tree) -> None:
        """Where text is wanted: a word that is no field misses its quotes (`service == orders-db`)."""
        place = _place(tree)
        if tree.data == "addition":
            raise self.context.wrong(place, "text is written in quotes", f'"{self.context.written(place)}"')
        name = _dotted(tree)
        if name is None or name in ("true", "false") or self.context.field(name):
            return
        message, suggestion = explain(name, self.context.record)
        if "." not in name or suggestion is None:
            raise self.context.wrong(place, f"{message}; text is written in quotes", f'"{name}"')


def _unwrap(tree: Tree) -> Tree:
    while tree.data in _LEVELS and len(tree.children) == 1:
        tree = _child(tree, 0)
    return tree


def _child(tree: Tree, index: int) -> Tree:
    child = tree.children[index]
    assert not isinstance(child, str)  # noqa: S101 -- a token: the grammar has none there
    return child


def _place(tree: Tree) -> Typed:
    start = getattr(tree.meta, "start_pos", 0)
    return Typed(None, None, start, getattr(tree.meta, "end_pos", start + 1))


def _signs(tree: Tree) -> tuple[str, Tree, int]:
    """The first sign of a chain of `!` or `-`, what is behind the chain, and how long it is."""
    sign, times = _child(tree, 0).data, 0
    while tree.data == "unary" and len(tree.children) == 2 and _child(tree, 0).data == sign:
        times += 1
        tree = _unwrap(_child(tree, 1))
    return sign, tree, times


def _dotted(tree: Tree) -> str | None:
    """`a.b.c` of a chain of names; None if it is something else."""
    parts: list[str] = []
    while tree.data == "member_dot":
        parts.append(str(tree.children[1]))
        tree = _unwrap(_child(tree, 0))
    return ".".join([str(tree.children[0]), *reversed(parts)]) if tree.data == "ident" else None

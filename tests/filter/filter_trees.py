"""Hypothesis strategies for trees of filters: every node, every field, values that records have."""

from __future__ import annotations

from hypothesis import strategies as st

from tapper.filter import fields
from tapper.filter.catalog import EitherEnd, EndColumn
from tapper.filter.tree import (
    FUNCTIONS,
    OPERATORS,
    Compare,
    Const,
    Flag,
    Has,
    Kind,
    Literal,
    Match,
    Noted,
    OneOf,
    Ref,
    Size,
    all_of,
    any_of,
    negate,
)
from tests.filter.filter_world import DURATIONS, NUMBERS, PROTOCOLS, START, WORDS

FIELDS = {field.name: field for field in fields()}
PATTERNS = ("^a", "[0-9]+", "(?i)ORDERS", "x.y", "é|ü", "^$", r"\?", "")


def of_kind(*kinds: Kind) -> st.SearchStrategy[Ref]:
    plain = [Ref(field.name) for field in FIELDS.values() if field.kind in kinds]
    headers = [
        Ref(field.name, key) for field in FIELDS.values() if field.kind is Kind.HEADERS for key in ("x-a", "host")
    ]
    return st.sampled_from(plain + (headers if Kind.TEXT in kinds else []))


def literals(kind: Kind, field: Ref | Size | None = None) -> st.SearchStrategy[Literal]:
    if kind is Kind.TEXT:
        known = FIELDS[field.name] if isinstance(field, Ref) else None
        values = known.values if known and known.closed else (*WORDS, *PROTOCOLS, "10.0.0.3")
        return st.sampled_from([Literal(v, Kind.TEXT) for v in values])
    amounts = {
        Kind.NUMBER: (*NUMBERS, 499.5, 2**64 - 1),
        Kind.DURATION: DURATIONS,
        Kind.TIME: (START, START + 1, START + 10**9),
    }
    return st.sampled_from([Literal(v, kind) for v in amounts[kind]])


def _comparable(left: Ref | Size, right: Ref | Size) -> bool:
    """A header and a name of an endpoint are not, nor is anything with itself."""
    pair = [ref.of if isinstance(ref, Size) else ref for ref in (left, right)]
    ends = [isinstance(FIELDS[ref.name].source, EndColumn | EitherEnd) for ref in pair]
    return left != right and not (any(ends) and any(ref.key is not None for ref in pair))


@st.composite
def comparisons(draw: st.DrawFn) -> Compare:
    kind = draw(st.sampled_from((Kind.TEXT, Kind.NUMBER, Kind.DURATION, Kind.TIME)))
    operands = of_kind(kind)
    if kind is Kind.NUMBER:
        operands |= of_kind(Kind.TEXT, Kind.NOTES).map(Size)
    left = draw(operands.filter(lambda ref: ref != Ref("id")))
    right = draw(literals(kind, left) | operands.filter(lambda other: other != Ref("id") and _comparable(left, other)))
    return Compare(draw(st.sampled_from(OPERATORS)), left, right)


@st.composite
def memberships(draw: st.DrawFn) -> OneOf:
    kind = draw(st.sampled_from((Kind.TEXT, Kind.NUMBER, Kind.DURATION, Kind.TIME)))
    left = draw(of_kind(kind).filter(lambda ref: ref != Ref("id")))
    return OneOf(left, tuple(draw(st.lists(literals(kind, left), min_size=1, max_size=4))))


@st.composite
def matches(draw: st.DrawFn) -> Match:
    function = draw(st.sampled_from(tuple(FUNCTIONS)))
    subject = draw(of_kind(Kind.TEXT))
    if function == "matches":
        return Match(function, subject, Literal(draw(st.sampled_from(PATTERNS)), Kind.TEXT))
    others = of_kind(Kind.TEXT).filter(lambda other: _comparable(subject, other))
    return Match(function, subject, draw(literals(Kind.TEXT) | others))


ATOMS = st.one_of(
    comparisons(),
    comparisons(),
    memberships(),
    matches(),
    of_kind(Kind.BOOL).map(Flag),
    of_kind(*(kind for kind in Kind if kind not in (Kind.HEADERS, Kind.ID))).map(Has),
    st.sampled_from(("gap", "stream", "upgraded", "redacted")).map(Noted),
    st.booleans().map(Const),
)

TREES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        inner.map(negate),
        st.lists(inner, min_size=2, max_size=4).map(all_of),
        st.lists(inner, min_size=2, max_size=4).map(any_of),
    ),
    max_leaves=10,
)

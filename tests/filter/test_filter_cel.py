"""Where everything is known, a filter means what CEL means: cel-python's own evaluator agrees."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import celpy
from celpy import celtypes
from hypothesis import given, settings
from hypothesis import strategies as st

from tapper.filter import parse
from tapper.model import words
from tests.filter.filter_world import evaluate, make_records

NEEDED = ("status", "target", "operation", "latency_ns", "stream")
RECORDS = [
    record
    for record in make_records(400, seed=3)
    if all(record[name] is not None for name in NEEDED)
    and record["latency_ns"] % 1000 == 0  # as exact as cel-python's durations are
    and all(record[end][name] is not None for end in ("src", "dst") for name in ("service", "namespace"))
][:5]

TEXTS = st.sampled_from(
    ('"orders"', '"web"', '""', '"Ünïcode"', "'a'", r'"/orders\x2f17?full=1"', r'r"q\d"', '"""GET"""')
)
NUMBERS = st.sampled_from(("0", "-5", "200", "0x1F4", "404u", "70000"))
DURATIONS = st.sampled_from(("1ms", "200ms", "1.5s", "1h30m", "-2s", "0s"))
TEXT_FIELDS = st.sampled_from(("target", "operation", "src.service", "dst.service", "protocol"))
OTHER_TEXT_FIELDS = st.sampled_from(("src.namespace", "dst.namespace"))
NUMBER_FIELDS = st.sampled_from(("status", "src.port", "stream", "size(target)", "target.size()", "notes.size()"))
OTHER_NUMBER_FIELDS = st.sampled_from(("dst.port", "size(operation)"))
SIGNS = st.sampled_from(("==", "!=", "<", "<=", ">", ">="))
METHODS = st.sampled_from(("contains", "startsWith", "endsWith"))

ATOMS = st.one_of(
    st.builds("{} {} {}".format, NUMBER_FIELDS, SIGNS, NUMBERS | OTHER_NUMBER_FIELDS),
    st.builds("{} {} {}".format, NUMBERS, SIGNS, NUMBER_FIELDS),
    st.builds("{} {} {}".format, TEXT_FIELDS, SIGNS, TEXTS | OTHER_TEXT_FIELDS),
    st.builds("latency {} {}".format, SIGNS, DURATIONS),
    st.builds("{} in [{}, {}]".format, TEXT_FIELDS, TEXTS, TEXTS | OTHER_TEXT_FIELDS),
    st.builds("{} in [{}, {}]".format, NUMBER_FIELDS, NUMBERS, NUMBERS),
    st.builds("{}.{}({})".format, TEXT_FIELDS, METHODS, TEXTS | OTHER_TEXT_FIELDS),
    st.builds("{}.matches({})".format, TEXT_FIELDS, st.sampled_from((r'r"^/\w+/\d+"', '"(?i)ORDERS"', '"a|b"'))),
    st.sampled_from(('"gap" in notes', "failed", "streaming == true", "false != failed", "true")),
)
FILTERS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("!({})".format, inner),
        st.builds("({} && {})".format, inner, inner),
        st.builds("({} || {})".format, inner, inner),
        st.builds("({} || {}\n&& {})".format, inner, inner, inner),
    ),
    max_leaves=6,
)


def activation(record: dict[str, Any]) -> dict[str, Any]:
    names = ("protocol", "operation", "target", "status", "stream")
    ends = {
        end: {"service": record[end]["service"], "namespace": record[end]["namespace"], "port": record[f"{end}_port"]}
        for end in ("src", "dst")
    }
    known = {name: record[name] for name in names} | ends
    known |= {
        "notes": words.note_names(record["notes"]),
        "failed": record["outcome"] in words.FAILED,
        "streaming": bool(record["notes"] & 128),
    }
    latency = celtypes.DurationType(timedelta(microseconds=record["latency_ns"] // 1000))
    return {name: celpy.json_to_cel(value) for name, value in known.items()} | {"latency": latency}


@settings(max_examples=50, deadline=None)
@given(text=FILTERS)
def test_cel_agrees(text: str) -> None:
    tree = parse(text).tree
    as_cel = re.sub(r"(latency \S+) (\S+?)(?=[\s)]|$)", r'\1 duration("\2")', text)
    as_cel = re.sub(r"\b(0x1F4|404u)\b", lambda number: "500" if number[0] == "0x1F4" else "404", as_cel)
    environment = celpy.Environment()
    program = environment.program(environment.compile(as_cel))
    for record in RECORDS:
        assert evaluate(tree, record) == bool(program.evaluate(activation(record))), record

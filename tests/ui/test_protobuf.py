"""Protocol Buffers as they are shown: by name, so that the text format reads it back, or in the likeliest reading."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet
from google.protobuf.message_factory import GetMessageClass
from grpc_tools import protoc
from hypothesis import given, settings
from hypothesis import strategies as st

from tapper.model.protobuf import Schemas
from ui import views

STOCK = Path(__file__).parents[2] / "tools" / "shop" / "stock.proto"
TYPES = [
    name.removeprefix("TYPE_").lower()
    for name in FieldDescriptorProto.Type.keys()  # noqa: SIM118 - an enum of protobuf is no dict
    if name not in {"TYPE_GROUP", "TYPE_MESSAGE", "TYPE_ENUM"}
]


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Schemas:
    file = tmp_path_factory.mktemp("proto") / "stock.binpb"
    assert protoc.main(["protoc", f"-I{STOCK.parent}", f"--descriptor_set_out={file}", str(STOCK)]) == 0
    made = Schemas()
    made.add_set(file.read_bytes())
    return made


@pytest.fixture(scope="module")
def level(schemas: Schemas) -> Any:
    """The type of the answers of `Stock.Get`."""
    found = schemas.message("/shop.Stock/Get", request=False)
    assert found is not None
    return found


def lines(data: bytes, message: Any = None, **options: Any) -> list[str]:
    result = views.show(data, "application/grpc", message=message, **options)
    assert result.view == "protobuf"
    return list(result.lines)


def field(number: int, kind: int, payload: bytes) -> bytes:
    """One field of a number below 16."""
    return bytes([number << 3 | kind]) + payload


def string(number: int, value: bytes) -> bytes:
    """One field with fewer than 128 bytes."""
    assert len(value) < 128
    return field(number, 2, bytes([len(value)]) + value)


_text = st.text(st.characters(exclude_categories=["C", "M", "Z"]), max_size=20)
"""Of what a terminal shows as it is."""
_levels = st.fixed_dictionaries(
    {},
    optional={
        "item": st.fixed_dictionaries(
            {}, optional={"name": _text, "wanted": st.integers(-(1 << 31), (1 << 31) - 1), "token": _text}
        ),
        "count": st.integers(-(1 << 31), (1 << 31) - 1),
        "place": st.sampled_from([0, 1, 2, 77, -1]),
        "reserved_by": st.lists(st.integers(-(1 << 63), (1 << 63) - 1), max_size=20),
        "prices": st.dictionaries(_text, st.floats(allow_nan=False), max_size=4),
    },
)
_more = st.one_of(
    st.just({}), st.builds(lambda t: {"note": t}, _text), st.builds(lambda b: {"picture": b}, st.binary())
)


@settings(max_examples=200, deadline=None)
@given(values=_levels, more=_more)
def test_by_name_it_is_what_the_text_format_reads(level: Any, values: dict[str, Any], more: dict[str, Any]) -> None:
    make = GetMessageClass(level)
    sent = make(**values, **more)
    shown = views.show(sent.SerializeToString(), "application/grpc", message=level)
    assert text_format.Parse("\n".join(shown.lines), make()) == sent


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("packed", [False, True])
def test_every_type_of_field(kind: str, packed: bool) -> None:
    file = FileDescriptorProto(name=f"{kind}.proto", package="all", syntax="proto3")
    message = file.message_type.add(name="Some")
    number = FieldDescriptorProto.Type.Value(f"TYPE_{kind.upper()}")
    many = message.field.add(name="many", number=1, type=number, label="LABEL_REPEATED")  # type: ignore[arg-type]
    if kind not in {"string", "bytes"}:
        many.options.packed = packed
    file.service.add(name="Service").method.add(name="Do", input_type=".all.Some", output_type=".all.Some")
    schemas = Schemas()
    schemas.add_set(FileDescriptorSet(file=[file]).SerializeToString())
    described = schemas.message("/all.Service/Do", request=True)
    assert described is not None
    make = GetMessageClass(described)
    values: list[Any] = {
        "string": ["", "kettle \u00fc"],
        "bytes": [b"", b'\0\xff"'],
        "bool": [True, False],
        "double": [0.5, -1e300],
        "float": [0.5, -2.0],
    }.get(kind, [0, 1, 300, (1 << 31) - 1])
    if kind.startswith(("int", "sint", "sfixed")):
        values += [-1, -(1 << 31)]
    sent = make(many=values)
    assert text_format.Parse("\n".join(lines(sent.SerializeToString(), described)), make()) == sent


def test_fields_that_the_schema_does_not_know_are_kept(level: Any) -> None:
    known = GetMessageClass(level)(count=-3).SerializeToString()
    newer = known + field(9, 0, b"\x07") + string(10, b"new") + field(3, 5, struct.pack("<f", 1.5))
    assert lines(newer, level) == ["count: -3", "9: 7", '10: "new"', "3: 1.5"]


def test_a_message_that_was_cut_shows_as_far_as_it_goes(level: Any) -> None:
    whole = GetMessageClass(level)(count=5, note="a long note").SerializeToString()
    assert lines(whole[:-4], level, cut=True) == ["count: 5", 'note: "a long " …']


def test_without_a_schema_the_likeliest_reading_is_shown_and_said() -> None:
    inner = field(1, 0, b"\x96\x01") + string(2, b"\x08\x01\x12\x01x")
    sent = b"".join(
        [
            field(1, 0, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
            string(2, "kettle \u00fc".encode()),
            string(3, inner),
            string(4, b"\xff\xfe\0"),
            field(5, 1, struct.pack("<d", 0.25)),
            field(6, 5, struct.pack("<I", 7)),
            field(7, 3, field(1, 0, b"\x01")) + field(7, 4, b""),
        ]
    )
    shown = views.show(sent, "application/grpc")
    assert list(shown.lines) == [
        "1: -1",
        '2: "kettle \u00fc"',
        "3 {",
        "  1: 150",
        "  2 {",
        "    1: 1",
        '    2: "x"',
        "  }",
        "}",
        r'4: "\xff\xfe\x00"',
        "5: 0.25",
        "6: 0x00000007",
        "7 {",
        "  1: 1",
        "}",
    ]
    assert "no schema" in "".join(shown.notes)


def test_types_come_from_reflection_in_any_order() -> None:
    base = FileDescriptorProto(name="base.proto", package="far", syntax="proto3")
    base.message_type.add(name="Base").field.add(name="near", number=1, type="TYPE_INT32", label="LABEL_OPTIONAL")
    user = FileDescriptorProto(name="user.proto", package="far", syntax="proto3", dependency=["base.proto"])
    user.service.add(name="Service").method.add(name="Do", input_type=".far.Base", output_type=".far.Base")
    schemas = Schemas()
    for file in (user, base):
        described = string(1, file.SerializeToString())
        schemas.add_reflection(string(4, described))
    found = schemas.message("/far.Service/Do", request=False)
    assert found is not None
    assert lines(b"\x08\x05", found) == ["near: 5"]

"""The names file: what it may say, and what a wrong one is told."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapper.identity.names import Claim, Names
from tapper.identity.names_file import MAX_BYTES, NamesFileError, read
from tests.store.records import SECOND

if TYPE_CHECKING:
    from pathlib import Path


def claims(tmp_path: Path, text: str | bytes) -> list[Claim]:
    path = tmp_path / "names.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read(path)


def test_an_entry_in_full(tmp_path: Path) -> None:
    [claim] = claims(
        tmp_path,
        """
- ip: 10.0.1.7
  port: 8080
  namespace: shop
  service: orders
  workload: orders
  version: 1.4.2
  pod: orders-7d9f
  container: app
  node: w1
  process: orderd
  name: the orders
  from: 2025-06-15T15:06:40Z
  to: 2025-06-15T17:06:41.5+02:00
""",
    )
    assert str(claim.network) == "10.0.1.7/32"
    assert claim.names == Names("the orders", "shop", "orders", "orders", "1.4.2", "orders-7d9f", "app", "w1", "orderd")
    assert (claim.port, claim.source) == (8080, "file")
    assert claim.start == 1_750_000_000 * SECOND
    assert claim.end == 1_750_000_001 * SECOND + SECOND // 2


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("ip: 10.0.0.1", "10.0.0.1/32"),
        ("ip: 'FD00:0::1'", "fd00::1/128"),
        ("ip: '::ffff:10.0.0.1'", "10.0.0.1/32"),
        ("cidr: 10.0.3.7/24", "10.0.3.0/24"),
        ("cidr: '::ffff:10.0.0.0/120'", "10.0.0.0/24"),
        ("cidr: fd00::/8", "fd00::/8"),
    ],
)
def test_addresses(tmp_path: Path, address: str, network: str) -> None:
    [claim] = claims(tmp_path, f"- {{{address}, name: x}}")
    assert str(claim.network) == network


def test_an_empty_file_names_nobody(tmp_path: Path) -> None:
    assert claims(tmp_path, "# later\n") == []


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("ip: 10.0.0.1", 1, "must be a list"),
        ("- orders", 1, "must be a mapping"),
        ("- name: orders", 1, "one of `ip` and `cidr`"),
        ("- ip: 10.0.0.1\n  cidr: 10.0.0.0/8\n  name: x", 1, "one of `ip` and `cidr`"),
        ("- ip: 10.0.0.1", 1, "at least one of name, namespace"),
        ("- ip: 10.0.0.1\n  sevice: orders", 2, "did you mean `service`?"),
        ("- ip: 10.0.0.1\n  zzz: orders", 2, "known are ip, cidr"),
        ("- ip: 10.0.0.300\n  name: x", 1, "`ip`: '10.0.0.300' does not appear to be"),
        ("- name: x\n  cidr: 10.0.0.0/33", 2, "`cidr`: "),
        ("- ip: 10.0.0.1\n  name: x\n  name: y", 3, "there twice"),
        ("- ip: 10.0.0.1\n  name: [x]", 2, "`name` needs a single value"),
        ("- ip: 10.0.0.1\n  name:", 2, "`name` needs a single value"),
        ("- ip: 10.0.0.1\n  name: " + "x" * 300, 2, "longer than 253"),
        ('- ip: 10.0.0.1\n  name: "a\\e[31m"', 2, "control characters"),
        ("- ip: 10.0.0.1\n  name: x\n  port: http", 3, "`port`: must be a number"),
        ("- ip: 10.0.0.1\n  name: x\n  port: 65536", 3, "`port`: must be a number"),
        ("- ip: 10.0.0.1\n  name: x\n  from: yesterday", 3, "`from`: must be a time such as"),
        (
            "- ip: 10.0.0.1\n  name: x\n  from: 2025-01-02T00:00:00Z\n  to: 2025-01-01T00:00:00Z",
            4,
            "must be later than `from`",
        ),
        ("- ip: 10.0.0.1\n  name: x\n- ip: 10.0.0.2\n  name: y\n- ip: 10.0.0.1\n  name: z", 5, "named in line 1 too"),
        ("- ip: 10.0.0.1\n name: x", 2, "not valid YAML"),
        ("- &a {ip: 10.0.0.1, name: x}\n- *a", 2, "aliases are not allowed"),
        ("- " + "[" * 50, 1, "deep nesting"),
        ("- !!python/object/apply:os.system ['true']", 1, "must be a mapping"),
    ],
)
def test_what_a_wrong_file_is_told(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(NamesFileError) as caught:
        claims(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path}/names.yaml:{line}: ")
    assert words in str(caught.value)


def test_one_address_may_have_two_names_one_after_another(tmp_path: Path) -> None:
    text = """
- {ip: 10.0.0.1, name: old, to: 2025-01-01T00:00:00Z}
- {ip: 10.0.0.1, name: new, from: 2025-01-01T00:00:00Z}
- {ip: 10.0.0.1, name: door, port: 22}
"""
    assert [c.names.name for c in claims(tmp_path, text)] == ["old", "new", "door"]


def test_a_file_that_is_not_there_or_too_large(tmp_path: Path) -> None:
    with pytest.raises(NamesFileError, match="No such file"):
        read(tmp_path / "none.yaml")
    with pytest.raises(NamesFileError, match="larger than"):
        claims(tmp_path, b" " * (MAX_BYTES + 1))


@given(data=st.binary(max_size=60) | st.text("-[]{}&*!:, \nip0.1name|>'\"", max_size=40).map(str.encode))
def test_any_bytes_are_read_or_told_what_is_wrong(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    with suppress(NamesFileError):
        claims(tmp_path_factory.getbasetemp(), data)

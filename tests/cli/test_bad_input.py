"""What is wrong is said in a line, with what to do next; never a traceback, never a control character."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Tapper

UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["read", "no.pcap"], 1, "no.pcap: no such file"),
        (["read"], 2, "Missing argument"),
        (["raed", "x"], 2, "did you mean `tapper read`?"),
        (["no.pcap"], 2, "no command 'no.pcap'"),
        (["read", "SHOP", "--filter", "statu >= 500"], 2, "^^^^^\nthere is no field statu\ndid you mean status ?"),
        (["read", "SHOP", "--filter", "status >= "], 2, "^"),
        (["read", "SHOP", "--filter", 'status == "x"'], 2, "^"),
        (["read", "SHOP", "--slower", "20"], 2, "did you mean 20ms ?"),
        (["read", "SHOP", "--status", "abc-9"], 2, "a status is"),
        (["read", "SHOP", "--order", "latncy"], 2, "did you mean latency?"),
        (["read", "SHOP", "--body-limit", "lots"], 2, "sizes are written"),
        (["read", "SHOP", "--map", "--show", "abcd"], 2, "can't go together"),
        (["read", "SHOP", "--show", "xyz"], 1, "xyz"),
        (["read", "SHOP", "--show", "0000ffff0000"], 1, "no exchange"),
        (["read", "SHOP", "-w", "no/such/dir"], 1, "No such file"),
        (["read", "SHOP", "--names", "no.yaml"], 2, "no.yaml"),
        (["list", "no.tap"], 1, "no.tap: no such file"),
        (["list", "."], 1, "not a tapper session"),
        (["map", "--diff", "SHOP"], 2, "--diff compares two"),
        (["export", "SHOP"], 2, "which format?"),
        (["read", "-", "-"], 2, "once only"),
        (["fields", "nosuchfield"], 2, "nosuchfield"),
    ],
)
def test_wrong_command_lines(tapper: Tapper, shop: Path, args: list[str], code: int, said: str) -> None:
    ran = tapper(*[shop if arg == "SHOP" else arg for arg in args])
    assert ran.code == code
    assert said in ran.err
    assert ran.out == ""


def test_a_file_that_is_no_capture(tapper: Tapper, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("just text, quite a lot of it, more than a header")
    ran = tapper("read", "notes.txt")
    assert ran.code == 1
    assert len(ran.err.splitlines()) == 1
    assert ran.err.startswith("tapper: notes.txt")


def test_an_empty_pipe(process: Tapper) -> None:
    ran = process("read", "-")
    assert ran.code == 1
    assert "empty" in ran.err


def test_a_damaged_capture_gives_what_is_before_the_damage(tapper: Tapper, shop: Path, tmp_path: Path) -> None:
    data = shop.read_bytes()
    (tmp_path / "cut.pcap").write_bytes(data[: len(data) * 2 // 3])
    for form in ("table", "jsonl"):
        ran = tapper("read", "cut.pcap", "-o", form)
        assert ran.code == 3
        assert "/orders/17" in ran.out
        assert "byte" in ran.err
        assert ran.err.count("cut.pcap") == 1
        assert tapper("read", "cut.pcap", "-o", form, "-q").err.count("cut.pcap") == 1


def test_one_file_of_several_is_no_capture(tapper: Tapper, shop: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("just text, quite a lot of it, more than a header")
    ran = tapper("read", "notes.txt", shop)
    assert ran.code == 3
    assert "/orders/17" in ran.out
    assert "notes.txt" in ran.err


@pytest.mark.parametrize(
    "args", [[], ["-o", "wide"], ["--map"], ["-o", "json"], ["-o", "jsonl"], ["-o", "yaml"], ["-o", "har"]]
)
def test_captured_text_never_drives_the_terminal(tapper: Tapper, hostile: Path, args: list[str]) -> None:
    ran = tapper("read", hostile, *args)
    assert ran.code == 0
    assert ran.out
    assert not UNSAFE.search((ran.out + ran.err).replace("\r\n", "\n"))


def test_the_detail_shows_control_characters_as_pictures(tapper: Tapper, hostile: Path) -> None:
    wanted = tapper("read", hostile).out.split()[-1]
    ran = tapper("show", hostile, wanted)
    assert ran.code == 0
    assert "X-Evil" in ran.out
    assert not UNSAFE.search(ran.out)


def test_names_of_files_are_cleaned_too(tapper: Tapper, tmp_path: Path) -> None:
    (tmp_path / "a\x1b[31m.pcap").write_text("just text, quite a lot of it, more than a header")
    for name in ("a\x1b[31m.pcap", "none\x1b[31m.pcap"):
        ran = tapper("read", name)
        assert ran.code == 1
        assert not UNSAFE.search(ran.err)

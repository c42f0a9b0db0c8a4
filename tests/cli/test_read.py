"""`tapper read` as a user types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapper.cli.values import LISTS
from tests.cli import traffic

if TYPE_CHECKING:
    from conftest import Tapper

MIXED = Path(__file__).parents[2] / "tapper" / "demo" / "shop.pcap.zst"
"""Requests of several protocols."""


def column(text: str, title: str) -> list[str]:
    """Cells under a title that have no spaces in them."""
    heading, *rows = text.splitlines()
    at = heading.split().index(title)
    return [row.split()[at] for row in rows]


def test_a_capture_becomes_a_table_of_requests(tapper: Tapper, shop: Path) -> None:
    ran = tapper("read", shop)
    assert ran.code == 0
    heading, *rows = ran.out.splitlines()
    assert heading.split() == ["TIME", "PROTO", "FROM", "TO", "REQUEST", "STATUS", "LATENCY", "SIZE", "ID"]
    assert len(rows) == 5
    assert "22:13:20.000" in rows[0]
    assert "GET  /orders/17" in rows[0]
    assert "404 !" in rows[2]
    assert "503 ✗" in rows[3]
    assert "1.50 s" in rows[3]
    assert "reset ↯" in rows[4]


def test_the_closing_lines_count_what_went_wrong(process: Tapper, shop: Path) -> None:
    err = process("read", shop).err
    assert "5 requests (1 server error, 1 reset, 1 client error)" in err
    assert "6 connections (1 refused, 1 reset)" in err
    assert process("read", shop, "--quiet").err == ""


@pytest.mark.parametrize(
    ("flags", "paths"),
    [
        (["--errors"], ["/charge", "/reset"]),
        (["--status", "404"], ["/orders/99"]),
        (["--status", "5xx"], ["/charge"]),
        (["--slower", "1s"], ["/charge"]),
        (["--method", "post"], ["/charge"]),
        (["--path", "/orders/*", "--status", "200"], ["/orders/17", "/orders/18?page=2"]),
        (["--to", traffic.PAYMENTS], ["/charge"]),
        (["--from", traffic.ORDERS], ["/charge"]),
        (["--filter", 'status == 404 || path == "/reset"'], ["/orders/99", "/reset"]),
    ],
)
def test_flags_and_filter_choose(tapper: Tapper, shop: Path, flags: list[str], paths: list[str]) -> None:
    ran = tapper("read", shop, "-o", "jsonl", *flags)
    assert ran.code == 0
    assert [json.loads(line)["target"] for line in ran.out.splitlines()] == paths


def test_a_filter_that_nothing_matches_says_what_there_is(tapper: Tapper, shop: Path) -> None:
    ran = tapper("read", shop, "--status", "418")
    assert ran.code == 0
    assert "0 of 5 requests match `status == 418`. There are 5 http." in ran.err


def test_order_and_limit(tapper: Tapper, shop: Path) -> None:
    ran = tapper("read", shop, "--order=-latency", "-n", "2")
    assert "/charge" in ran.out.splitlines()[1]
    assert len(ran.out.splitlines()) == 3
    assert "2 shown, --limit 0 shows all" in ran.err


def test_one_request_in_full(tapper: Tapper, shop: Path) -> None:
    wanted = tapper("read", shop).out.splitlines()[4].split()[-1]
    ran = tapper("read", shop, "--show", wanted)
    assert ran.code == 0
    for part in ("POST /charge", "503 Service Unavailable", "server error", "Timing", "Host: payments", '"amount": 5'):
        assert part in ran.out
    assert "handshake 0.1 ms" in ran.out


def test_the_map_has_refused_connections_as_rows_of_their_own(tapper: Tapper, shop: Path) -> None:
    for args in (["--map"], ["--map", "table"]):
        ran = tapper("read", *args, shop)
        assert ran.code == 0
        assert "refused 1 of 1 connection" in ran.out.splitlines()[1]
        assert ran.out.splitlines()[0].split()[:6] == ["FROM", "TO", "PROTO", "CALLS", "RATE", "ERR"]
        assert "100 %" in ran.out


@pytest.mark.parametrize("form", ["json", "graphml", "dot", "mermaid", "csv", "svg"])
def test_the_map_in_other_formats(tapper: Tapper, shop: Path, form: str, tmp_path: Path) -> None:
    ran = tapper("read", shop, "--map", form)
    assert ran.code == 0
    assert traffic.PAYMENTS in ran.out
    assert tapper("read", shop, "--map", form, "-w", "out").code == 0
    assert (tmp_path / "out").read_bytes().decode() == ran.out
    assert (tmp_path / "out").stat().st_mode & 0o077 == 0


def test_a_har_has_as_many_entries_as_are_wanted_and_what_it_can_not_hold_is_told(tapper: Tapper) -> None:
    ran = tapper("read", MIXED, "-o", "har", "-n", "3")
    log = json.loads(ran.out)["log"]
    assert len(log["entries"]) == 3
    assert log["comment"] == "HAR holds HTTP only; left out: 2,486 redis, 193 dns"
    assert log["comment"] in ran.err


def test_files_are_read_in_the_order_in_which_they_were_captured(tapper: Tapper, tmp_path: Path) -> None:
    one, other, shop = tmp_path / "x.pcap2", tmp_path / "x.pcap10", traffic.Traffic()
    shop.call(traffic.get("/orders/17"), traffic.answer())
    for path, some in ((other, shop.packets[4:]), (one, shop.packets[:4])):
        traffic.Traffic(some).write(path)
    orders = [tapper("read", *files, "-o", "jsonl") for files in ((one, other), (other, one))]
    rows = [json.loads(ran.out) for ran in orders]
    assert rows[0] == rows[1]
    assert (rows[0]["target"], rows[0]["status"], rows[0]["outcome"]) == ("/orders/17", 200, "ok")


def test_a_file_counts_once(tapper: Tapper, shop: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.pcap"
    link.symlink_to(shop)
    for other, words in ((shop, f"{shop} is given twice: "), (link, f"{link} is the same file as {shop}: ")):
        ran = tapper("read", shop, other)
        assert ran.code == 2
        assert f"{words}its requests would count twice; leave one out" in ran.err


def test_names_file(tapper: Tapper, shop: Path, tmp_path: Path) -> None:
    (tmp_path / "names.yaml").write_text(f"- ip: {traffic.PAYMENTS}\n  namespace: shop\n  service: payments\n")
    ran = tapper("read", shop, "--names", "names.yaml", "--to", "shop/payments")
    assert len(ran.out.splitlines()) == 2
    assert "payments" in ran.out


def test_json_lines_come_while_a_pipe_is_still_open(shop: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "tapper.cli", "read", "-", "-o", "jsonl"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with child:
        assert child.stdin
        assert child.stdout
        child.stdin.write(shop.read_bytes())
        child.stdin.flush()
        first = json.loads(child.stdout.readline())
        child.stdin.close()
        rest = child.stdout.read().splitlines()
    assert first["target"] == "/orders/17"
    assert len(rest) == 4
    assert child.returncode == 0


@pytest.mark.parametrize("form", LISTS)
def test_a_closed_pipe_ends_it_quietly(shop: Path, form: str) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "tapper.cli", "read", str(shop), "-q", "-o", form],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdout
    assert child.stderr
    child.stdout.close()
    assert child.stderr.read() == b""
    child.stderr.close()
    assert child.wait(60) == 0


def test_nothing_of_a_look_is_left_behind(
    process: Tapper, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    assert process("read", shop).code == 0
    assert list((tmp_path / "tmp").iterdir()) == []


def test_save_keeps_a_private_session(tapper: Tapper, shop: Path, tmp_path: Path) -> None:
    ran = tapper("read", shop, "--save", "x.tap")
    assert ran.code == 0
    assert "tapper open x.tap" in ran.err
    assert (tmp_path / "x.tap").stat().st_mode & 0o077 == 0
    again = tapper("read", shop, "--save", "x.tap")
    assert again.code == 1
    assert "--force" in again.err
    assert tapper("read", shop, "--save", "x.tap", "--force").code == 0

"""`tapper demo` and `tapper tap --local` as a user runs them: what they show, and that nothing is left at any end."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tapper.demo.namespace import obstacle
from tapper.demo.shop import APART, OPEN, READY
from tests.cli.running import MOMENTS, PATIENCE_S, Run, asking, first_row
from tests.processes import started

needs_namespace = pytest.mark.skipif(bool(obstacle()), reason=f"no network namespace of its own: {obstacle()}")


@needs_namespace
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_it_ends_in_order_at_any_moment(directory: Path, moment: str, number: signal.Signals) -> None:
    run = Run(directory, "demo", "-o", "jsonl", "--for", "60s")
    run.reaches(MOMENTS[moment])
    run.process.send_signal(number)
    _, said = run.process.communicate(timeout=PATIENCE_S)
    assert run.process.returncode == 0, said
    assert "Traceback" not in said
    assert run.alive() == []
    assert list(directory.iterdir()) == []


@pytest.mark.root
@pytest.mark.parametrize("tenths", [0, 1, 2, 4, 6, 8, 10, 12, 15, 18, 22, 30])
def test_a_tap_ends_at_any_time_and_leaves_nothing_but_what_was_asked_for(
    directory: Path, port: int, tmp_path: Path, tenths: int
) -> None:
    kept = tmp_path / "kept.pcapng"
    run = Run(directory, "tap", "--local", "-i", "lo", "--port", str(port), "--pcap", str(kept), "-o", "jsonl")
    with asking(port):
        with suppress(subprocess.TimeoutExpired):
            run.process.wait(tenths / 10)  # no moment in particular
        run.process.send_signal(signal.SIGINT)
        _, said = run.process.communicate(timeout=PATIENCE_S)
    # before it has begun to run, Python itself answers
    assert run.process.returncode in (0, -signal.SIGINT, 130) or "Fatal Python error: init_" in said, said
    assert run.alive() == []
    assert list(directory.iterdir()) == []
    assert list(tmp_path.glob("kept*")) in ([], [kept])


@needs_namespace
@pytest.mark.parametrize("moment", ["agent", "requests"])
def test_what_it_started_ends_when_it_is_killed(directory: Path, moment: str) -> None:
    run = Run(directory, "demo", "-o", "jsonl", "--for", "60s")
    run.reaches(MOMENTS[moment])
    run.process.kill()
    run.process.communicate(timeout=PATIENCE_S)
    end = time.monotonic() + PATIENCE_S
    while run.alive():
        assert time.monotonic() < end, run.alive()
        time.sleep(0.05)


@needs_namespace
def test_a_shop_whose_starter_goes_while_it_opens_ends() -> None:
    command, pipe = [sys.executable, "-m", "tapper.demo.shop", APART], subprocess.PIPE
    with started(command, stdin=pipe, stdout=pipe, text=True) as shop:
        assert shop.stdin is not None
        assert shop.stdout is not None
        assert shop.stdout.readline().strip() == READY
        shop.stdin.write("\n")
        shop.stdin.close()
        assert shop.stdout.read() in ("", f"{OPEN}\n")  # it may have, before it was noticed
        assert shop.wait(PATIENCE_S) == 0


@needs_namespace
def test_a_shop_that_can_not_open_says_why(directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "redis-server"
    broken.write_text("#!/bin/sh\nseq 9999 >&2\nprintf 'Can not open the log \\033[31mfile\\n'; exit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    run = Run(directory, "demo", "-o", "jsonl", "--for", "60s")
    _, said = run.process.communicate(timeout=PATIENCE_S)
    assert run.process.returncode == 1
    assert f"the shop does not open: {broken} ended with 3 before it was ready; it said last:" in said
    assert "9999\nCan not open the log ␛[31mfile\n" in said
    assert "9990" not in said
    assert run.alive() == []


@needs_namespace
def test_the_demo_ends_with_the_map_of_what_is_slow_and_what_fails(directory: Path) -> None:
    run = Run(directory, "demo", "-o", "jsonl", "--limit", "400", "--for", "60s")
    out, said = run.process.communicate(timeout=PATIENCE_S)
    assert run.process.returncode == 0, said
    shown = [json.loads(line) for line in out.splitlines()]
    assert {"http", "dns"} <= {row["protocol"] for row in shown}
    edges = {tuple(line.split()[:2]): line for line in said.splitlines()}
    assert "refused" in edges["shop/orders", "shop/audit"]
    assert ("shop/orders", "shop/payments") in edges
    assert ("shop/gateway", "shop/news") in edges
    if shutil.which("nats-server"):
        assert "not parsed" in edges["shop/mailer", "shop/events"]


@needs_namespace
def test_where_no_shop_can_be_opened_a_recording_is_shown_and_said_to_be_one(directory: Path) -> None:
    # as on systems that allow none
    none = 'echo 0 > /proc/sys/user/max_net_namespaces; exec "$0" -m tapper.cli demo --limit 3'
    command = ["unshare", "--user", "--map-root-user", "sh", "-c", none, sys.executable]
    environ = {**os.environ, "TMPDIR": str(directory)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, env=environ, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(
        r"^A shop can't be opened and tapped here \(.+\): this is a recording of one\.$", done.stderr, re.M
    )
    assert re.search(r"^[\d,]+ requests \(.* · 3 shown", done.stderr, re.M)
    heading, *rows = done.stdout.partition("\n\n")[0].splitlines()
    assert heading.startswith("TIME")
    assert len(rows) == 3
    assert "shop/payments" in done.stdout
    assert list(directory.iterdir()) == []


@pytest.mark.root
def test_this_machine_says_who_called_whom(directory: Path, port: int) -> None:
    run = Run(directory, "tap", "--local", "-i", "lo", "--port", str(port), "-o", "jsonl", "--limit", "1")
    with asking(port):
        out, said = run.process.communicate(timeout=PATIENCE_S)
    assert run.process.returncode == 0, said
    row = json.loads(out.splitlines()[0])
    assert (row["protocol"], row["target"], row["status"]) == ("http", "/pyproject.toml", 200)
    assert run.alive() == []
    assert list(directory.iterdir()) == []


@pytest.mark.root
@pytest.mark.parametrize("form", ["jsonl", "har"])
def test_what_is_under_way_when_it_ends_is_shown(directory: Path, port: int, form: str) -> None:
    run = Run(directory, "tap", "--local", "-i", "lo", "--port", str(port), "-o", form, "--for", "3s")
    with asking(port):
        out, said = run.process.communicate(timeout=PATIENCE_S)
    assert run.process.returncode == 0, said
    rows = out.splitlines() if form == "jsonl" else json.loads(out)["log"]["entries"]
    seen = re.search(r"^(\d+) requests?\b.* in ", said, re.MULTILINE)
    assert seen is not None, said
    assert len(rows) == int(seen[1]) > 0, said


@needs_namespace
def test_a_har_ends_with_as_many_entries_as_are_wanted(directory: Path) -> None:
    run = Run(directory, "demo", "-o", "har", "--limit", "5", "--for", "60s")
    out, said = run.process.communicate(timeout=PATIENCE_S)
    log = json.loads(out)["log"]
    assert len(log["entries"]) == 5
    assert log["comment"] in said


@pytest.mark.root
def test_what_is_never_answered_is_shown_in_the_end(directory: Path, port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, asking(port):
        ports = ["--port", str(port), "--port", str(silent.getsockname()[1])]
        run = Run(directory, "tap", "--local", "-i", "lo", *ports, "-o", "jsonl")
        assert run.process.stdout is not None
        assert run.process.stderr is not None
        assert first_row(run)
        with socket.create_connection(silent.getsockname()) as client:
            client.sendall(b"GET /patience HTTP/1.1\r\nHost: silent\r\n\r\n")
            sent = datetime.now(UTC).isoformat()
            assert any(json.loads(row)["time"] > sent for row in run.process.stdout)
            run.process.send_signal(signal.SIGINT)
            rows = [json.loads(line) for line in run.process.stdout]
            said = run.process.stderr.read()
            assert run.process.wait(PATIENCE_S) == 0, said
    still = [row["target"] for row in rows if row["outcome"] == "open"]
    assert "/patience" in still, said
    assert f"({len(still)} open)" in said


@pytest.mark.root
def test_the_raw_packets_are_kept_with_names_and_comments(directory: Path, port: int, tmp_path: Path) -> None:
    file, hosts = tmp_path / "kept.pcapng", tmp_path / "names.yaml"
    hosts.write_text("- ip: 127.0.0.1\n  name: here\n")
    local = ["tap", "--local", "-i", "lo", "--port", str(port)]
    run = Run(directory, *local, "--pcap", str(file), "--names", str(hosts), "-o", "jsonl", "--limit", "5")
    with asking(port):
        out, said = run.process.communicate(timeout=PATIENCE_S)
    assert run.process.returncode == 0, said
    assert f"packets in {file}" in said
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.glob("kept*")) == [file]
    data = file.read_bytes()
    assert b"here\0" in data
    assert data.count(b"http GET /pyproject.toml -> 200 in ") >= 5
    read = Run(directory, "read", str(file), "-o", "jsonl")
    again, _ = read.process.communicate(timeout=PATIENCE_S)
    times = {json.loads(row)["time"] for row in again.splitlines()}
    assert times >= {json.loads(row)["time"] for row in out.splitlines()}


@pytest.mark.root
def test_the_raw_packets_stay_within_their_bound_and_what_is_left_out_is_told(
    directory: Path, port: int, tmp_path: Path
) -> None:
    file = tmp_path / "kept.pcapng"
    local = ["tap", "--local", "-i", "lo", "--port", str(port)]
    run = Run(directory, *local, "--pcap", str(file), "--pcap-bytes", "1M", "-o", "jsonl", "--limit", "3")
    with asking(port, "/large"):
        _, said = run.process.communicate(timeout=PATIENCE_S)
    assert run.process.returncode == 0, said
    assert "recording: dropped " in said
    assert file.stat().st_size <= (1 << 20) + 65_536  # names and comments come on top


@pytest.mark.root
def test_packets_as_a_stream_until_nobody_reads_them(directory: Path, port: int) -> None:
    from scapy.layers.inet import TCP
    from scapy.utils import PcapNgReader

    run = Run(directory, "tap", "--local", "-i", "lo", "--port", str(port), "-o", "pcap", "--for", "60s")
    assert run.process.stdout is not None
    with asking(port):
        with PcapNgReader(run.process.stdout.buffer) as packets:
            seen = [packet for packet, _ in zip(packets, range(20), strict=False)]
        run.process.stdout.close()
        assert run.process.wait(PATIENCE_S) == 0
    assert {port} <= {packet[TCP].sport for packet in seen} | {packet[TCP].dport for packet in seen}
    assert run.process.stderr is not None
    said = run.process.stderr.read()
    assert "Traceback" not in said
    assert "recording: dropped" in said
    assert run.alive() == []
    assert list(directory.iterdir()) == []


@pytest.mark.root
def test_its_own_page_is_not_shown(directory: Path, port: int) -> None:
    run = Run(directory, "tap", "--local", "-i", "lo", "-o", "jsonl", "--web", "--no-browser", "--for", "60s")
    assert run.process.stderr is not None
    assert run.process.stdout is not None
    shown: list[dict[str, Any]] = []

    def asked(name: str) -> None:
        """Until a request of ours is shown."""
        with asking(port, f"/pyproject.toml?{name}"):
            for line in run.process.stdout or ():
                shown.append(json.loads(line))
                if str(shown[-1]["target"]).endswith(f"?{name}"):
                    return

    page = next(found for line in run.process.stderr if (found := re.search(r"(http://[^/]+)/#k=(\S+)", line)))
    asked("before")
    shown.clear()
    for _ in range(50):
        query = urllib.request.Request(f"{page[1]}/api/v1/summary", headers={"Authorization": f"Bearer {page[2]}"})
        with urllib.request.urlopen(query) as answer:
            assert json.load(answer)["exchanges"] > 0
    asked("after")
    own = int(page[1].rpartition(":")[2])
    run.process.send_signal(signal.SIGINT)
    run.process.communicate(timeout=PATIENCE_S)
    assert {row["dst"]["port"] for row in shown} & {port, own} == {port}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("pod", "--pcap", "x.pcapng"), "--pcap and -o pcap go with --local"),
        (("pod", "-o", "pcap"), "--pcap and -o pcap go with --local"),
        (("--local", "--pcap-bytes", "2M"), "--pcap-bytes goes with --pcap FILE"),
        (("--local", "--pcap", "x.pcapng", "-o", "pcap"), "one of them"),
        (("--local", "--pcap", "x.pcapng", "--pcap-bytes", "1K"), "must be at least 1M"),
        (("--local", "--pcap", "/proc"), "/proc is there and is no file"),
        (("--local", "-i", "lo", "-i", "eth0", "-o", "pcap"), "one stream of packets has one source"),
    ],
)
def test_what_can_not_be_kept_is_told(directory: Path, arguments: tuple[str, ...], words: str) -> None:
    run = Run(directory, "tap", *arguments)
    _, said = run.process.communicate(timeout=PATIENCE_S)
    assert run.process.returncode == 2
    assert words in said


@pytest.mark.root
@pytest.mark.parametrize(
    ("user", "words"), [(0, "give it to the container (--cap-add"), (65534, "run: sudo ")], ids=["root", "nobody"]
)
def test_without_the_right_to_capture_it_says_what_helps(user: int, words: str) -> None:
    # nobody may not look into root's directories: it is all imported before
    code = (
        "import sys, os\nfrom tapper.cli.tapping import capturing\nfrom agent import rights\nimport click, socket\n"
        "sys.argv = ['tapper', 'tap', '--local', '--for', '3 s']\nos.setuid(int(sys.stdin.read()))\n"
        "try: capturing.interfaces_of((), (), None, quiet=False)\nexcept click.ClickException as error: print(error)"
    )
    command = ["setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw", sys.executable, "-c", code]
    done = subprocess.run(command, input=str(user), capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    (line,) = done.stdout.splitlines()
    assert "CAP_NET_RAW is missing" in line
    assert words in line
    if user:
        assert "tap --local --for '3 s'" in line
        _, _, setcap = line.partition("sudo setcap cap_net_raw+ep ")
        assert Path(setcap.split()[0]).resolve() == Path(sys.executable).resolve()

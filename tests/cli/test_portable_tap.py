"""Taps where the engine has no packet ring: an engine from which it is taken out stands for one of another system."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.running import PATIENCE_S, Run, asking
from tests.collector.running import agent, collector
from tests.live.network import wait_until

pytestmark = pytest.mark.root


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "import agent._engine as engine\ndel engine.LiveReader, engine.LiveGroup\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{Path(__file__).parents[2]}")


def test_this_machine_by_scapy_which_is_said(directory: Path, port: int) -> None:
    run = Run(directory, "tap", "--local", "-i", "lo", "--port", str(port), "-o", "jsonl", "--limit", "3")
    with asking(port):
        out, said = run.process.communicate(timeout=PATIENCE_S)
    assert run.process.returncode == 0, said
    assert [json.loads(line)["target"] for line in out.splitlines()] == ["/pyproject.toml"] * 3
    assert said.startswith("no packet ring on this system: scapy captures, some thousand packets a second at most")
    assert "; on lo, -i names another\n" in said
    assert run.alive() == []
    assert list(directory.iterdir()) == []


def test_an_agent_by_scapy(tmp_path: Path, port: int) -> None:
    with collector(tmp_path) as there, agent(there, "mac", "-i", "lo", "--port", str(port)) as process, asking(port):
        wait_until(lambda: len(there.exchanges()) > 2)
        assert {row["target"] for row in there.exchanges()} == {"/pyproject.toml"}
        assert process.stderr is not None
        assert process.stderr.readline().startswith("no packet ring on this system: scapy captures")


def test_the_network_of_a_process_is_not_taken_for_its_own(tmp_path: Path) -> None:
    with collector(tmp_path) as there, agent(there, "mac", "--pid", str(os.getpid())):
        wait_until(lambda: any(state["state"] == "failed" for state in there.states()))
        assert there.states()[0]["problem"] == "the network of a process can be read on Linux only"


@pytest.mark.parametrize("wanted", [("--pid", "1"), ("--pcap", "x.pcapng"), ("-o", "pcap")])
def test_what_takes_the_ring_is_refused_and_it_is_said_what_helps(directory: Path, wanted: tuple[str, ...]) -> None:
    run = Run(directory, "tap", "--local", "-i", "lo", *wanted)
    _, said = run.process.communicate(timeout=PATIENCE_S)
    assert run.process.returncode == 2
    assert "need the packet ring of Linux; here: tcpdump -w FILE, then `tapper read FILE`" in said

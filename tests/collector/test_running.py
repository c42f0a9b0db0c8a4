"""Agents and a collector as processes with a real network between two ends: calls seen twice, kills, refusals."""

from __future__ import annotations

import subprocess
from collections import Counter
from typing import TYPE_CHECKING

from tapper.collector.authority import Authority
from tests.collector.running import (
    CLIENT,
    SERVER,
    VIP,
    Running,
    agent,
    agent_command,
    behind_nat,
    collector,
    requests,
)
from tests.live.network import host, ip, needs_root, wait_until
from tests.processes import started

if TYPE_CHECKING:
    from pathlib import Path


def seen(there: Running, name: str) -> Counter[str]:
    """How often each target of these requests is there."""
    return Counter(row["target"] for row in there.exchanges() if f"?{name}=" in (row["target"] or ""))


class TestNetwork:
    pytestmark = needs_root

    def test_both_views_through_nat_are_one_record(self, tmp_path: Path) -> None:
        with (
            behind_nat(tmp_path) as (client, server),
            collector(tmp_path) as there,
            agent(there, "a", "--netns", client.path),
            agent(there, "b", "--netns", server.path),
        ):
            there.wait_for_ready("a")
            there.wait_for_ready("b")
            subprocess.run(requests(client, "n", 50), check=True)
            wait_until(lambda: sum(row["view"] == "both" for row in there.exchanges()) == 50)
            rows = there.exchanges()
            wait_until(lambda: len(there.get("/connections")["rows"]) == 1)
        assert seen_once(Counter(row["target"] for row in rows), 50)
        for row in rows:
            assert (row["src_ip"], row["dst_ip"], row["dst_port"]) == (CLIENT, SERVER, 8080)
            assert (row["dialled_ip"], row["dialled_port"]) == (VIP, 80)
            assert row["latency_ns"] >= row["server_latency_ns"] > 0

    def test_an_agent_that_is_killed_is_told_and_nothing_is_counted_twice(self, tmp_path: Path) -> None:
        with behind_nat(tmp_path) as (client, _), collector(tmp_path) as there:
            with agent(there, "a", "--netns", client.path) as killed:
                there.wait_for_ready("a")
                with started(requests(client, "n", 3000)) as load:
                    wait_until(lambda: bool(seen(there, "n")))
                    killed.kill()
                    assert load.wait(60) == 0
            wait_until(lambda: [a["state"] for a in there.states()] == ["lost"])
            assert any("ended without a word" in hint for hint in there.get("/health")["hints"])
            with agent(there, "a", "--netns", client.path):
                there.wait_for_ready("a")
                subprocess.run(requests(client, "later", 50), check=True)
                wait_until(lambda: len(seen(there, "later")) == 50)
                assert max(seen(there, "n").values()) == 1
                assert seen_once(seen(there, "later"), 50)
                hints = " ".join(there.get("/health")["hints"])
                assert "Agent a began anew: nothing was seen there from " in hints
                assert "ended without a word" not in hints

    def test_a_collector_that_is_killed_goes_on_and_keeps_each_record_once(self, tmp_path: Path) -> None:
        with behind_nat(tmp_path) as (client, _), collector(tmp_path) as first:
            place, api = first.agents.removeprefix("https://"), first.api.removeprefix("http://")
            with agent(first, "a", "--netns", client.path):
                first.wait_for_ready("a")
                with started(requests(client, "n", 3000)) as load:
                    wait_until(lambda: bool(seen(first, "n")))
                    first.process.kill()
                    first.process.wait()
                    assert load.wait(60) == 0
                with collector(tmp_path, listen=place, api=api) as second:
                    wait_until(lambda: len(seen(second, "n")) == 3000)
                    assert seen_once(seen(second, "n"), 3000)
                    second.wait_for_ready("a")
                    assert [(a["lost"], a["problem"]) for a in second.states()] == [(0, None)]

    def test_an_agent_taps_a_namespace_again_that_comes_back(self, tmp_path: Path) -> None:
        with host() as one, collector(tmp_path) as there, agent(there, "a", "--netns", one.path) as process:
            there.wait_for_ready("a")
            ip("netns", "del", one.name)
            wait_until(lambda: [a["sources"] for a in there.states()] == [0])
            ip("netns", "add", one.name)
            one.ip("link", "set", "lo", "up")
            there.wait_for_ready("a")
            assert process.poll() is None


def seen_once(found: Counter[str], count: int) -> bool:
    """Whether there are so many different ones, each once."""
    return len(found) == count == found.total()


def test_a_wrong_token_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("another-token\n")
    with collector(tmp_path) as there:
        said = subprocess.run(
            agent_command(there, "a", token=tmp_path / "wrong"), capture_output=True, text=True, timeout=60, check=False
        )
    assert said.returncode == 1
    assert "refuses the token" in said.stderr


def test_a_collector_of_another_authority_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.pem").write_bytes(Authority().certificate)
    with collector(tmp_path) as there:
        said = subprocess.run(
            agent_command(there, "a", ca=tmp_path / "other.pem"),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert said.returncode == 1
    assert "not of the authority that --ca names" in said.stderr

"""What an agent tells of its node's addresses, in a real network namespace."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from agent.addresses import node_addresses
from tests.live.network import host, needs_root
from tests.processes import started

if TYPE_CHECKING:
    from pathlib import Path


class TestNetwork:
    pytestmark = needs_root

    def test_addresses_of_all_interfaces_that_others_can_see(self, tmp_path: Path) -> None:
        with host() as node:
            node.ip("link", "add", "cni0", "type", "bridge")
            node.ip("addr", "add", "10.244.2.1/24", "dev", "cni0")
            node.ip("addr", "add", "10.0.0.7/32", "dev", "cni0")
            node.ip("addr", "add", "fd00:244::1/64", "dev", "cni0", "nodad")
            node.ip("addr", "add", "169.254.1.1/32", "dev", "cni0")
            node.ip("link", "set", "cni0", "up")
            node.ip("link", "set", "lo", "up")
            with started(node.command("cat"), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(b"\n")
                process.stdin.flush()
                process.stdout.read(1)  # it is in its namespace
                (tmp_path / "1").symlink_to(f"/proc/{process.pid}")
                found = node_addresses(tmp_path)
                process.stdin.close()
        assert sorted(found) == ["10.0.0.7", "10.244.2.1", "fd00:244::1"]


def test_what_can_not_be_read_is_left_out(tmp_path: Path) -> None:
    assert node_addresses(tmp_path) == ()

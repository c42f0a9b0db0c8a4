"""Where targets are, by what /proc tells; a folder of files stands for it, whose inodes are the namespaces'."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from agent import places
from agent.places import NotThereError, processes, resolve
from tapper.model.control import Target

if TYPE_CHECKING:
    from pathlib import Path

UID = "0f3c1a52-5b0e-4a55-9c33-3f6f0d2f7a10"


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(places, "PROC", tmp_path)
    process(tmp_path, 1)
    return tmp_path


def process(proc: Path, pid: int, *, of: str = "", shares: int | None = None) -> None:
    """A process, in a cgroup of a pod; in a namespace of its own or in that of another."""
    folder = proc / str(pid)
    (folder / "ns").mkdir(parents=True)
    (folder / "cgroup").write_text(f"0::/kubepods.slice/pod{of.replace('-', '_')}.slice/cri-{pid}\n")
    net = folder / "ns/net"
    if shares is None:
        net.touch()
    else:
        net.hardlink_to(proc / str(shares) / "ns/net")


def inode(proc: Path, pid: int) -> int:
    return (proc / str(pid) / "ns/net").stat().st_ino


def test_an_interface_is_one_by_its_whole_name() -> None:
    for name in ("o", "l", "lo:", "Inter-| Receive"):
        with pytest.raises(NotThereError, match=f"there is no interface {re.escape(name)}; there are .*lo"):
            resolve(Target("interface", name), {})
    assert resolve(Target("interface", "lo"), {}).interface == "lo"
    assert resolve(Target("interface", ""), {}).interface is None


def test_without_namespaces_all_is_one_network(proc: Path) -> None:
    assert not (proc / "self").exists()
    assert resolve(Target("interface", "lo"), {}).inode == 0


def test_a_process_is_there_while_it_runs(proc: Path) -> None:
    process(proc, 70)
    assert resolve(Target("pid", "70"), {}).inode == inode(proc, 70)
    with pytest.raises(NotThereError, match="it does not run"):
        resolve(Target("pid", "71"), {})


def test_a_pod_that_is_being_made_is_not_looked_for_in_the_nodes_namespace(proc: Path) -> None:
    target = Target("pod", UID, own_network=True)
    process(proc, 70, of=UID, shares=1)
    with pytest.raises(NotThereError, match="no running process of pod"):
        resolve(target, processes([target]))
    process(proc, 71, of=UID)
    assert resolve(target, processes([target])).inode == inode(proc, 71)


def test_a_pod_on_the_host_network_is_there(proc: Path) -> None:
    target = Target("pod", UID, ports=(8080,))
    process(proc, 70, of=UID, shares=1)
    assert resolve(target, processes([target])).inode == inode(proc, 1)

"""Finds where targets are: the network namespace of a process, a pod or a container, by what /proc tells.

A pod's processes are in cgroups whose path has the pod's UID, a container's in one that has its id, whatever the
container runtime and the cgroup driver, so that no socket of a runtime is needed. The slices of systemd write the UID
with underscores.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tapper.model.control import Target

PROC = Path("/proc")
MAX_CGROUP = 64 << 10
SOME = 8
"""Interfaces that are named where another was looked for."""
_PART = re.compile(r"[0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32,64}")


@dataclass(frozen=True, slots=True)
class Place:
    """A namespace to read. Two targets in one namespace with the same interface and ports are read once."""

    netns: str | None
    """Path; None: the agent's own."""
    inode: int
    interface: str | None
    ports: tuple[int, ...] = ()


class NotThereError(Exception):
    """The target is not here, or not yet."""


def resolve(target: Target, cgroups: dict[str, list[int]]) -> Place:
    """Where the target is.

    Args:
        target: of any kind but file.
        cgroups: see `processes`.

    Raises:
        NotThereError: it is not; the message says what is missing.
    """
    match target.kind:
        case "interface":
            if target.value and target.value not in (there := [name for _, name in socket.if_nameindex()]):
                some = f"{', '.join(there[:SOME])}{' ...' if len(there) > SOME else ''}"
                raise NotThereError(f"there is no interface {target.value}; there are {some}")
            return Place(None, _own(), target.value or None, target.ports)
        case "netns":
            paths = [Path(target.value)]
        case "pid":
            if not target.value.isascii() or not target.value.isdigit():
                raise NotThereError(f"{target.value!r} is not the number of a process")
            paths = [PROC / target.value / "ns/net"]
        case "pod" | "container":
            pids = cgroups.get(target.value.lower(), ())
            paths = [PROC / str(pid) / "ns/net" for pid in pids]
        case _:
            raise NotThereError(f"targets of kind {target.kind!r} are not known to this agent")
    why = "it does not run" if target.kind == "pid" else f"no running process of {target.kind} {target.value} here"
    for path in paths:
        try:
            inode = _inode(path)
            if target.own_network and inode == _node():
                continue  # a runtime has put it into the pod's cgroup, but not into its namespace yet
            return Place(str(path), inode, target.interface, target.ports)
        except PermissionError:
            why = f"{path} may not be looked at: that takes CAP_SYS_PTRACE, or the user whose process it is"
        except OSError:
            continue
    raise NotThereError(why)


def _own() -> int:
    """Our own network namespace; 0 on systems that have none."""
    try:
        return _inode(PROC / "self/ns/net")
    except FileNotFoundError:
        return 0


def _inode(path: Path) -> int:
    return path.stat().st_ino


def _node() -> int | None:
    """The node's network namespace, for who sees its processes: the first of them is there."""
    try:
        return _inode(PROC / "1/ns/net")
    except OSError:
        return None


def processes(wanted: Iterable[Target]) -> dict[str, list[int]]:
    """Processes by the UID of their pod and the id of their container; nothing is read if no target asks for it."""
    if not any(target.kind in ("pod", "container") for target in wanted):
        return {}
    found: dict[str, list[int]] = {}
    for entry in PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            with (entry / "cgroup").open("r", errors="replace") as file:
                text = file.read(MAX_CGROUP)
        except OSError:  # it has ended
            continue
        for part in set(_PART.findall(text)):
            found.setdefault(part.replace("_", "-"), []).append(int(entry.name))
    for pids in found.values():
        pids.sort()
    return found

"""Processes by the sockets that they have open: their names, and their containers'."""

from __future__ import annotations

import json
import os
import re
import time
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

from tapper.identity.names import MAX_NAME, Names

RECENT = 64
"""Processes that had sockets lately are looked at first."""
NEWEST = 16
MAX_PIDS = 1 << 22
"""Linux's PID_MAX_LIMIT; numbers are given in turn, and again from the start."""
SCAN_SECONDS = 0.05
"""One search may take so long."""
INTERPRETERS = re.compile(r"(python|pypy|node|ruby|perl|php|bash|sh|java|beam|dotnet|deno|bun)[0-9.]*(-[a-z]+)?")
_CONTAINER = re.compile(r"(?:^|[/-])([0-9a-f]{64})(?:\.scope)?(?:/|$)")
DOCKER = Path("/var/lib/docker/containers")


class Processes:
    """Finds the processes of sockets in /proc. What others' processes have open is seen by root only."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._recent: OrderedDict[int, None] = OrderedDict()

    def owners(self, inodes: set[int]) -> dict[int, Names]:
        """The processes that have these sockets open, as many as are found in a bounded time."""
        found: dict[int, Names] = {}
        wanted = {f"socket:[{inode}]": inode for inode in inodes}
        end = time.monotonic() + SCAN_SECONDS
        for pid in self._candidates():
            if not wanted or time.monotonic() > end:
                break
            for link in self._links(pid):
                if (inode := wanted.pop(link, None)) is not None:
                    found[inode] = self._names(pid)
                    self._use(pid)
                    if not wanted:
                        break
        return found

    def _candidates(self) -> list[int]:
        recent = list(reversed(self._recent))
        with suppress(OSError):
            with os.scandir(self._proc) as entries:
                pids = [int(entry.name) for entry in entries if entry.name.isdecimal()]
            # The newest processes are the likeliest owners of a new socket; then those that had some lately.
            newest = int((_text(self._proc / "loadavg").split() or ["0"])[-1])  # the last pid that was given
            pids.sort(key=lambda pid: (newest - pid) % MAX_PIDS)
            return [*pids[:NEWEST], *recent, *(pid for pid in pids[NEWEST:] if pid not in self._recent)]
        return recent

    def _links(self, pid: int) -> list[str]:
        """What its file descriptors lead to, the newest first."""
        folder = f"{self._proc}/{pid}/fd"
        links = []
        with suppress(OSError):
            with os.scandir(folder) as entries:
                names = sorted((entry.name for entry in entries), key=int, reverse=True)
            for name in names:
                with suppress(OSError):
                    links.append(os.readlink(f"{folder}/{name}"))  # noqa: PTH115  a Path costs more than the call
        return links

    def _use(self, pid: int) -> None:
        self._recent[pid] = None
        self._recent.move_to_end(pid)
        if len(self._recent) > RECENT:
            self._recent.popitem(last=False)

    def _names(self, pid: int) -> Names:
        container = container_of(_text(self._proc / str(pid) / "cgroup"))
        return Names(process=self._program(pid), container=container)

    def _program(self, pid: int) -> str | None:
        name = _text(self._proc / str(pid) / "comm").strip()
        if INTERPRETERS.fullmatch(name):
            words = _text(self._proc / str(pid) / "cmdline").split("\0")
            name = script(words) or name
        return name[:MAX_NAME] or None


def script(words: list[str]) -> str | None:
    """What an interpreter runs: `python3 -m http.server` -> `http.server`, `node /app/server.js` -> `server.js`."""
    words = [word for word in words[1:] if word]
    for number, word in enumerate(words):
        if word in ("-m", "-jar") and number + 1 < len(words):
            return Path(words[number + 1]).name
        if word in ("-c", "-e"):
            return None
        if not word.startswith("-"):
            return Path(word).name
    return None


def container_of(cgroup: str) -> str | None:
    """The container that a cgroup is of: its name where Docker tells it, else the beginning of its id."""
    found = _CONTAINER.search(cgroup.rpartition("::")[2].strip() or cgroup)
    if found is None:
        return None
    with suppress(OSError, ValueError, AttributeError):
        name = json.loads((DOCKER / found[1] / "config.v2.json").read_bytes())["Name"].removeprefix("/")
        if name:
            return str(name)[:MAX_NAME]
    return found[1][:12]


def _text(path: Path) -> str:
    with suppress(OSError), path.open("rb") as file:
        return file.read(16_384).decode("utf-8", "replace")
    return ""

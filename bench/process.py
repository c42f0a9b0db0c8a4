"""Runs a command and says what it cost: processor time, time, peak memory."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Cost:
    """What one process took, children that it waited for included."""

    cpu_s: float
    """User and system time."""
    wall_s: float
    peak_mb: float
    output: str


class MissingError(Exception):
    """What is needed is not on this machine; the message names it."""


class FailedError(Exception):
    """The command ended with an error; the message is what it wrote."""


def run(command: Sequence[str], *, keep_output: bool = True) -> Cost:
    """Runs it to its end."""
    start = time.monotonic()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE if keep_output else subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    output = process.stdout.read() if process.stdout else ""
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise FailedError(f"{' '.join(command)}: exit code {process.returncode}\n{errors.strip()[-2000:]}")
    return Cost(usage.ru_utime + usage.ru_stime, time.monotonic() - start, usage.ru_maxrss / 1024, output)

"""Child processes that live as long as their standard input is open."""

from __future__ import annotations

import contextlib
import subprocess


def end(child: subprocess.Popen[bytes], seconds: float) -> None:
    """Ends it in order by closing its standard input; if it does not end within this time, kills it."""
    if child.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    for said in (child.stdout, child.stderr):
        if said is not None:
            said.close()

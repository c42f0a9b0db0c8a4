"""What to do when the right to capture is missing: one line with the exact command."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

_CAPABILITY = re.compile(r"CAP_[A-Z_]+")


def advice(error: PermissionError) -> str:
    """What a source was not permitted, and the commands that help.

    Args:
        error: as `LiveReader` raises it.
    """
    said = str(error)
    if os.geteuid() == 0:
        # A container, mostly: root without what root has elsewhere.
        return f"{said}; give it to the container (--cap-add, or capabilities.add of its security context)"
    again = shlex.join(["sudo", *_program(), *sys.argv[1:]])
    named = _CAPABILITY.search(said)
    if named is None:
        return f"{said}; run: {again}"
    python = shlex.quote(str(Path(sys.executable).resolve()))
    return f"{said}; run: {again}, or allow all programs of this Python: sudo setcap {named[0].lower()}+ep {python}"


def _program() -> list[str]:
    script = os.path.abspath(sys.argv[0])  # noqa: PTH100 -- links stay: that is how it was called
    if script.endswith(".py"):
        return [sys.executable, "-m", "tapper.cli"]
    return [script if os.path.exists(script) else sys.argv[0]]  # noqa: PTH110

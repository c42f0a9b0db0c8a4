"""Text to the clipboard: by the desktop's program, else through the terminal (OSC 52), else into a file."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PROGRAMS = (
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
    (None, ("pbcopy",)),
)
"""Set in the environment (None: in any) -> command that takes the text on its standard input."""
MAX_OSC = 74_994
"""Bytes that terminals surely take by OSC 52 (as base64 100,000); longer text goes to a file."""
PATIENCE_S = 2.0


def program(environment: Mapping[str, str]) -> tuple[str, ...] | None:
    """The command to use here; over ssh the desktop's clipboard is on the other side."""
    if environment.get("SSH_CONNECTION"):
        return None
    for variable, command in PROGRAMS:
        if (variable is None or environment.get(variable)) and shutil.which(command[0]):
            return command
    return None


def copy(text: str, osc: Callable[[str], None], environment: Mapping[str, str] = os.environ) -> str:
    """Copies; says how. `osc` sends the text through the terminal."""
    command = program(environment)
    if command is not None:
        try:
            subprocess.run(  # noqa: S603  # a program of the table, no shell
                command, input=text.encode(), check=True, timeout=PATIENCE_S, stdout=subprocess.DEVNULL
            )
            return f"copied ({command[0]})"
        except (OSError, subprocess.SubprocessError):
            pass
    if len(text.encode()) <= MAX_OSC and environment.get("TERM", "") not in ("", "dumb", "linux"):
        osc(text)
        return "copied (through the terminal)"
    return f"too long for the terminal's clipboard; written to {keep(text.encode(), '.txt')}"


def keep(data: bytes, suffix: str) -> Path:
    """A new file with it, the user's alone."""
    number, name = tempfile.mkstemp(prefix="tapper-", suffix=suffix)
    with os.fdopen(number, "wb") as file:
        file.write(data)
    return Path(name)

"""The engine alone, by its own benchmark (agent/engine/benches/capture.rs): no Python, rows that nobody keeps."""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from pathlib import Path

from bench.process import FailedError, run

ENGINE = Path(__file__).parents[1] / "agent" / "engine"


def rate(path: Path, *options: str, of: str = "exchanges", passes: int = 1) -> tuple[float, int]:
    """Exchanges (or `messages`) per second of processor time that it makes of a capture, and how many there were.

    A small file needs several passes, or what is measured is memory that is touched for the first time.
    Options: `--no-bodies`; `--ipc`, heads and bodies packed for the wire as well.
    """
    made = json.loads(run([_program(), *[str(path)] * passes, *options]).output)
    return made[of] / made["cpu_s"], made[of] // passes


@cache
def _program() -> str:
    command = ["cargo", "bench", "--locked", "--no-run", "--bench", "capture"]
    built = subprocess.run(command, cwd=ENGINE, capture_output=True, text=True, check=False)
    found = re.search(r"Executable .* \((.+)\)", built.stderr)
    if built.returncode or found is None:
        raise FailedError(f"{' '.join(command)}: exit code {built.returncode}\n{built.stderr.strip()[-2000:]}")
    return str(ENGINE / found.group(1))

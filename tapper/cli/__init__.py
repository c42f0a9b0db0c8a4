"""The command line: `program` finds commands, `commands/` has one file for each, the rest is what they share.

Heavy imports stay inside functions, so that `tapper --help` and completion answer at once.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs a command line (default: the process's) and exits with a code of `tapper.cli.exits`."""
    # numpy brings a library for matrices along, whose threads, one a core, spin for a while when they are started.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from tapper.cli.program import run

    sys.exit(run(arguments))

"""Pages of memory: huge ones are faster for few sources with much to do, and dear for many with little."""

from __future__ import annotations

import ctypes
import logging
import sys
from functools import cache

_PR_SET_THP_DISABLE = 41  # prctl(2)


@cache
def small() -> None:
    """Gives this process no huge pages from now on: each thread that allocates would have 2 MiB at least."""
    if sys.platform == "linux" and ctypes.CDLL(None).prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0:
        logging.getLogger("tapper.agent").warning("huge pages stay in use: many sources may need more memory")

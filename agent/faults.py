"""What HTTP servers of agents and collectors log: faults of their own, not those of who sends them what is no HTTP.

Anybody who reaches a port can send that without a token, and standard error may be the terminal that shows the UI.
"""

from __future__ import annotations

import logging

from aiohttp.http_exceptions import HttpProcessingError


class _Ours(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError)


LOGGER = logging.getLogger("tapper.server")
"""For `web.AppRunner`."""
LOGGER.addFilter(_Ours())

"""How agents and collectors serve HTTP: bounded in time, and with a log of their own faults alone.

Anybody who reaches a port can hold a connection, or send what is no HTTP, without a token; and standard error may be
the terminal that shows the UI.
"""

from __future__ import annotations

import logging
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

IDLE_S = 75.0
"""For the head of a request to come, on a new connection or after the last answer."""


class _Ours(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError)


LOGGER = logging.getLogger("tapper.server")
LOGGER.addFilter(_Ours())


def runner(app: web.Application, **options: Any) -> web.AppRunner:
    """What runs an application; `options` are further ones of `web.AppRunner`."""
    return web.AppRunner(app, access_log=None, logger=LOGGER, keepalive_timeout=IDLE_S, **options)

"""Several requests at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    _Result = TypeVar("_Result")


async def together(*work: Coroutine[Any, Any, _Result]) -> list[_Result]:
    """What each of them gives. Where one fails the others are stopped, and over, before its error is raised."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def all_of(*work: Coroutine[Any, Any, object]) -> None:
    """Each of them to its end, whatever becomes of the others; then the first error, if there was one, is raised."""
    for ended in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(ended, BaseException):
            raise ended

"""The agent's own HTTP port: whether it lives, whether it works, and its counts for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable

    from tapper.model.control import Status

METRICS: tuple[tuple[str, str, str, str], ...] = (
    ("packets", "packets_total", "counter", "Packets that the sources gave"),
    ("ring_drops", "ring_drops_total", "counter", "Packets that the kernel dropped because a ring was full"),
    ("records", "records_total", "counter", "Records made"),
    ("lost_records", "lost_records_total", "counter", "Records given up before the collector had them"),
    ("oversized_records", "oversized_records_total", "counter", "Of them, those that no shipment could hold"),
    ("spooled_records", "spooled_records", "gauge", "Records that the collector has not acknowledged"),
    ("spooled_bytes", "spooled_bytes", "gauge", "Bytes of them"),
    ("reading", "sources", "gauge", "Interfaces and network namespaces that are read"),
    ("shed", "shed_level", "gauge", "0: all is kept, 1: no bodies, above: one connection of 2, 4, 8 ..."),
    ("cpu", "cpu_cores", "gauge", "Cores in use over the last second"),
    ("memory_bytes", "memory_bytes", "gauge", "Resident memory"),
)
"""Field of Status, name, type, meaning."""


def metrics(status: Status, *, connected: bool) -> str:
    """In Prometheus' text format 0.0.4."""
    lines = []
    for field, name, kind, meaning in METRICS:
        lines += [
            f"# HELP tapper_agent_{name} {meaning}",
            f"# TYPE tapper_agent_{name} {kind}",
            f"tapper_agent_{name} {getattr(status, field)}",
        ]
    lines += [
        "# HELP tapper_agent_connected Whether the collector is connected",
        "# TYPE tapper_agent_connected gauge",
        f"tapper_agent_connected {int(connected)}",
    ]
    return "\n".join(lines) + "\n"


def application(status: Callable[[], Status], connected: Callable[[], bool]) -> web.Application:
    """`/healthz`: it lives; `/readyz`: it ships; `/metrics`."""

    async def live(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(_: web.Request) -> web.Response:
        now = status()
        if connected() and now.reading:
            return web.Response(text="ok\n")
        missing = "no collector" if not connected() else "nothing to read"
        return web.Response(status=503, text=f"{missing}{f': {now.problem}' if now.problem else ''}\n")

    async def told(_: web.Request) -> web.Response:
        return web.Response(text=metrics(status(), connected=connected()), content_type="text/plain")

    made = web.Application()
    made.add_routes([web.get("/healthz", live), web.get("/readyz", ready), web.get("/metrics", told)])
    return made

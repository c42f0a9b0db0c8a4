"""A server on loopback in the place of an API server, and a kubeconfig that names it."""

from __future__ import annotations

import base64
import stat
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import yaml
from aiohttp import web

from tapper.collector.authority import Authority, server_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

AUTHORITY = Authority()
HTTPS = server_context(AUTHORITY.issue(["127.0.0.1"]))
EXPIRED = {"kind": "Status", "status": "Failure", "message": "Unauthorized", "reason": "Unauthorized", "code": 401}


def written(path: Path, server: str, user: dict[str, Any] | None = None, **cluster: Any) -> str:
    """The path of a kubeconfig of one context, "one"; it trusts AUTHORITY, unless it is told of another."""
    if server.startswith("https://") and not any(key.startswith("certificate-authority") for key in cluster):
        cluster["certificate-authority-data"] = base64.b64encode(AUTHORITY.certificate).decode()
    document = {
        "current-context": "one",
        "contexts": [{"name": "one", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": {"token": "t"} if user is None else user}],
    }
    path.write_text(yaml.safe_dump(document))
    return str(path)


def plugin(folder: Path, script: str, **more: Any) -> dict[str, Any]:
    """A user whose credentials a program gives that lies beside the kubeconfig."""
    program = folder / "plugin"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin", "args": ["login"], **more}}


@asynccontextmanager
async def serving(
    handler: Handler, context: ssl.SSLContext | None = HTTPS, host: str = "127.0.0.1"
) -> AsyncIterator[int]:
    """The port of a server that answers every request by a handler; `context` None: without TLS."""
    runner = web.ServerRunner(web.Server(handler, handler_cancellation=True), shutdown_timeout=0)  # type: ignore[arg-type]
    await runner.setup()
    site = web.TCPSite(runner, host, 0, ssl_context=context)
    try:
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()

"""Runs a collector as a process: its credentials, its two doors, until it is stopped."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import re
import secrets
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tapper.cli import exits
from tapper.cli.problems import say
from tapper.cli.shipping import token

if TYPE_CHECKING:
    import ssl

    from tapper.collector.collector import Collector, Options
    from tapper.store.partitions import Retention

Address = tuple[str, int]


def run(
    *,
    listen: Address,
    api: Address,
    retention: Retention,
    credentials: Path | None,
    hosts: tuple[str, ...],
    certificate: Path | None,
    key: Path | None,
    client_ca: Path | None,
    plain: bool,
    save: Path | None,
    names: str | None,
    title: str,
    redact: bool,
    redact_names: tuple[str, ...],
    bodies: bool,
    body_limit: int,
) -> int:
    """Runs it; the exit code."""
    from tapper.collector.collector import Options
    from tapper.identity.names_file import read
    from tapper.model.control import Settings

    if plain and not _is_loopback(listen[0]):
        raise click.UsageError(
            f"--plain sends tokens and records in clear: not on {listen[0]}; --listen 127.0.0.1:PORT"
        )
    if bool(certificate) != bool(key):
        raise click.UsageError("--certificate and --key go together")
    options = Options(
        token=_secret(credentials, "token"),
        save=save,
        retention=retention,
        settings=Settings(
            bodies=bodies,
            body_limit=body_limit,
            redact=redact,
            # equal secrets keep equal marks, and agents that run need not open their sources anew
            redact_key=_redact_key(credentials) if redact else None,
            redact_names=tuple(name.lower() for name in redact_names),
        ),
        title=title,
        claims=tuple(read(Path(names))) if names else (),
    )
    tls = None if plain else _tls(credentials, hosts, certificate, key, client_ca)
    asyncio.run(_serve(options, listen, api, tls, _secret(credentials, "api-token")))
    return exits.OK


async def _serve(options: Options, listen: Address, api: Address, tls: ssl.SSLContext | None, api_token: str) -> None:
    from aiohttp import web

    from tapper.cli.web import built_page
    from tapper.collector.api.app import create_app, runner
    from tapper.collector.collector import Collector

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with Collector(options) as collector:
        front = runner(create_app(collector.feed, token=api_token, page=built_page()))
        await front.setup()
        try:
            await _listening(web.TCPSite(front, *api).start(), api)
            host, port = front.addresses[0][:2]
            for address in {host, "127.0.0.1", "::1"} if _is_any(host) or _is_loopback(host) else {host}:
                collector.exclude(address, port)
            agents = await _listening(collector.listen(*listen, tls), listen)
            collector.exclude(*agents)
            say(f"agents: {'http' if tls is None else 'https'}://{_shown(*agents)}")
            say(f"look: http://{_shown(host, port)}/#k={api_token}")
            await stop.wait()
        finally:
            await front.cleanup()
    _closing(collector)


async def _listening(starting: object, at: Address) -> tuple[str, int]:
    try:
        return await starting  # type: ignore[misc, no-any-return]
    except OSError as error:
        raise click.ClickException(f"can't listen on {_shown(*at)}: {error.strerror}") from error


def _closing(collector: Collector) -> None:
    keeper = collector.recording.keeper
    if keeper.failure:
        raise click.ClickException(f"records could not be kept: {keeper.failure}")
    if keeper.not_kept:
        say(f"missing: {keeper.not_kept:,} records found no room on the disk")


def _secret(directory: Path | None, name: str) -> str:
    """The secret of that name, made if there is none yet."""
    if directory is None:
        return secrets.token_urlsafe(24)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = directory / name
    if not file.exists():
        _write(file, f"{secrets.token_urlsafe(24)}\n".encode())
    return token(file)


def _redact_key(directory: Path | None) -> str:
    """The key of the marks, the same as long as the directory is kept.

    Raises:
        click.ClickException: what is in its file is no key.
    """
    if directory is None:
        return secrets.token_hex(16)
    file = directory / "redact-key"
    if not file.exists():
        _write(file, f"{secrets.token_hex(16)}\n".encode())
    key = file.read_text(errors="replace").strip()
    if re.fullmatch("[0-9a-f]{32}", key) is None:
        raise click.ClickException(f"{file}: no key in it (32 hex digits); remove it, and a new one is made")
    return key


def _write(file: Path, data: bytes) -> None:
    new = file.with_name(f".{file.name}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(data)
    new.replace(file)


def _tls(
    directory: Path | None, hosts: tuple[str, ...], certificate: Path | None, key: Path | None, client_ca: Path | None
) -> ssl.SSLContext:
    from tapper.collector.authority import Authority, Certificate, server_context

    clients = client_ca.read_bytes() if client_ca else None
    if certificate is not None and key is not None:
        return server_context(Certificate(certificate.read_bytes(), key.read_bytes()), clients)
    names = [*hosts, socket.gethostname(), "localhost", *_own_addresses()]
    if directory is None:
        say("without --credentials or --certificate, agents can't know this collector's certificate")
        return server_context(Authority().issue(names), clients)
    # Agents that run trust this ca.pem: a collector that is started anew must still be the one they know.
    file = directory / "server.pem"
    kept = Certificate.read(file.read_bytes()) if file.exists() and (directory / "ca.pem").exists() else None
    if kept is None or not kept.serves(names):
        authority = Authority()
        kept = authority.issue(names)
        _write(directory / "ca.pem", authority.certificate)
        _write(file, kept.certificate + kept.key)
    return server_context(kept, clients)


def _own_addresses() -> list[str]:
    """Addresses that agents may call us by."""
    found = {"127.0.0.1", "::1"}
    with suppress(OSError):
        found |= {str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None)}
    return sorted(address for address in found if "%" not in address)


def _is_any(host: str) -> bool:
    return host in ("0.0.0.0", "::")  # noqa: S104 -- compared, not listened on


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

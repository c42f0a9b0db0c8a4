"""Through which proxy an API server is asked, as kubectl decides it."""

from __future__ import annotations

import contextlib
import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tapper.kube.refusals import KubeError

if TYPE_CHECKING:
    from collections.abc import Mapping

SOCKS = ("socks5", "socks5h")
_PORTS = {"http": 80, "https": 443}
_SCHEMES = ("http", "https", *SOCKS)


def proxy_for(server: str, configured: str | None, environment: Mapping[str, str]) -> str | None:
    """The address of a proxy; None: none.

    The rules for the environment are those of Go's golang.org/x/net/http/httpproxy, by which kubectl goes: none for
    this machine itself, networks in NO_PROXY, domains with what is below them.

    Args:
        server: URL of the API server.
        configured: the kubeconfig's `proxy-url`, which holds for any server.
        environment: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, also in lower case.

    Raises:
        KubeError: it is of a kind that there is no support for.
    """

    def said(name: str) -> str:
        return environment.get(name) or environment.get(name.lower()) or ""

    where = urlsplit(server)
    proxy = configured or ""
    if not proxy:
        found = said(f"{where.scheme}_proxy".upper())
        if found and not _direct(where.hostname or "", where.port or _PORTS.get(where.scheme), said("NO_PROXY")):
            proxy = found if "://" in found else f"http://{found}"
    if proxy and urlsplit(proxy).scheme not in _SCHEMES:  # the whole URL may have a password
        raise KubeError(
            f"the proxy for {server} can't be used: its URL has to begin with http, https or socks5 and ://"
        )
    return proxy or None


def _direct(host: str, port: int | None, exceptions: str) -> bool:
    ip = _ip(host)
    if host == "localhost" or (ip is not None and ip.is_loopback):
        return True
    return any(_is(entry.strip().lower(), host, ip, port) for entry in exceptions.split(",") if entry.strip())


def _is(entry: str, host: str, ip: ipaddress.IPv4Address | ipaddress.IPv6Address | None, port: int | None) -> bool:
    if entry == "*":
        return True
    with contextlib.suppress(ValueError):
        network = ipaddress.ip_network(entry, strict=False)
        return ip is not None and ip in network
    try:
        where = urlsplit(f"//{entry}")
        name, wanted = where.hostname or "", where.port
    except ValueError:
        return False
    if wanted not in (None, port):
        return False
    if ip is not None:
        return ip == _ip(name)
    name = name.removeprefix("*")
    return host == name or host.endswith(name if name.startswith(".") else f".{name}")


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None

"""What goes wrong between here and an API server, in words: what, why, what to do."""

from __future__ import annotations

import json
import os

import aiohttp


class KubeError(Exception):
    """The cluster can't be reached or can't be used so; the message says what and what to do."""


class ApiError(KubeError):
    """The API server refused a request."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


def unreachable(server: str, error: Exception) -> str:
    """Why there was no answer."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        why = getattr(error.certificate_error, "verify_message", "") or str(error.certificate_error)
        return (
            f"the cluster at {server} shows a certificate that the kubeconfig does not vouch for: {why}\n"
            "Is the kubeconfig out of date or of another cluster, or is there a proxy in between?"
        )
    told = str(error) or type(error).__name__
    through = ""
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno or 0
        told = os.strerror(number) if number > 0 else error.os_error.strerror or told
        place = f"[{error.host}]:{error.port}" if ":" in error.host else f"{error.host}:{error.port}"
        through = "" if place in server else f" through {place}"
    return (
        f"can't reach the cluster at {server}{through}: {told}\n"
        "Does it run, is this the right context, does it take a VPN or a tunnel to get there?"
    )


def no_api(server: str, body: bytes) -> str:
    """Of an answer that no API server gives."""
    first = " ".join(body[:200].decode(errors="replace").split()) or "nothing"
    return f"what answers at {server} is no Kubernetes API server; it says: {first}"


def refusal(server: str, status: int, body: bytes) -> KubeError:
    """Of an answer with a status from 400 on."""
    try:
        told = json.loads(body)
        reason, message = str(told.get("reason") or ""), str(told.get("message") or "")
    except (ValueError, AttributeError):
        if status in (400, 404, 405):
            return KubeError(no_api(server, body))
        reason, message = "", body[:200].decode(errors="replace").strip()
    message = message or f"the API server answered {status}"
    if status == 401:
        message = (
            f"the cluster at {server} does not accept these credentials: {message}\n"
            "They may have expired, or be of another cluster: log in again, and see whether `kubectl get pods` works."
        )
    return ApiError(status, reason, message)

"""The credential plugin that a kubeconfig names: a program that prints a token or a certificate, as kubectl runs it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tapper.kube.refusals import KubeError

if TYPE_CHECKING:
    from collections.abc import Callable

TOLD_AFTER = 5.0  # seconds until it is said what is waited for
LONGEST = 180.0  # seconds; it may ask its user to log in with a browser


_ABOUT_CLUSTER = (
    "server",
    "tls-server-name",
    "insecure-skip-tls-verify",
    "certificate-authority-data",
    "proxy-url",
    "disable-compression",
)
_FOR_PLUGINS = "client.authentication.k8s.io/exec"
"""Name of a cluster's extension."""


def cluster_info(cluster: dict[str, Any]) -> dict[str, Any]:
    """What a plugin is told of a kubeconfig's cluster: `spec.cluster` of an ExecCredential.

    Names and types: Kubernetes' reference of client.authentication.k8s.io/v1, Cluster.

    Raises:
        OSError: the file of its certificate authority can't be read.
    """
    about = {key: cluster[key] for key in _ABOUT_CLUSTER if cluster.get(key)}
    if "certificate-authority-data" not in about and "certificate-authority" in cluster:
        read = Path(cluster["certificate-authority"]).read_bytes()
        about["certificate-authority-data"] = base64.b64encode(read).decode()
    for item in cluster.get("extensions") or []:
        if item.get("name") == _FOR_PLUGINS:
            about["config"] = item.get("extension")
    return about


async def credential(
    settings: dict[str, Any], cluster: dict[str, Any] | None, told: Callable[[str], None], *, alone: bool = False
) -> dict[str, Any]:
    """The `status` of what it prints.

    Args:
        settings: the user's `exec` of the kubeconfig.
        cluster: what it is told of the cluster.
        told: gets what is waited for, if it takes long.
        alone: nobody is there to read what it says, or to answer.

    Raises:
        KubeError: it is not there, fails, takes too long or prints something else; the message says what to do.
    """
    program = str(settings.get("command") or "")
    name = f"the kubeconfig's credential plugin {program}"
    mode = settings.get("interactiveMode")
    asks = not alone and mode != "Never" and sys.stdin is not None and sys.stdin.isatty()
    if mode == "Always" and not asks:
        raise KubeError(f"{name} asks its user: log in with it at a terminal first, with `kubectl get pods`")
    version = str(settings.get("apiVersion"))
    spec = {"interactive": asks} | ({"cluster": cluster} if cluster is not None else {})
    info = {"apiVersion": version, "kind": "ExecCredential", "spec": spec}
    more = {str(item["name"]): str(item["value"]) for item in settings.get("env") or []}
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *map(str, settings.get("args") or ()),
            env={**os.environ, **more, "KUBERNETES_EXEC_INFO": json.dumps(info)},
            stdin=None if asks else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL if alone else None,  # how to log in, as a rule
        )
    except OSError as error:
        hint = str(settings.get("installHint") or "Install it, or name a kubeconfig that does without.").strip()
        raise KubeError(f"{name} can't be run: {error.strerror}\n{hint}") from error
    try:
        printed = await _printed(process, name, told)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode:
        raise KubeError(
            f"{name} failed with exit code {process.returncode}\n"
            "What it says stands above: log in as it asks, and see whether `kubectl get pods` works."
        )
    return _status(printed, version, name)


async def _printed(process: asyncio.subprocess.Process, name: str, told: Callable[[str], None]) -> bytes:
    running = asyncio.create_task(process.communicate())
    try:
        done, _ = await asyncio.wait([running], timeout=TOLD_AFTER)
        if not done:
            told(f"waiting for {name}")
        return (await asyncio.wait_for(running, LONGEST))[0]
    except TimeoutError as error:
        raise KubeError(f"{name} did not end within {LONGEST:g} s: run it by hand to see what it waits for") from error
    finally:
        running.cancel()


def _status(printed: bytes, version: str, name: str) -> dict[str, Any]:
    try:
        answer = json.loads(printed)
        status = answer["status"]
        whole = "token" in status or ("clientCertificateData" in status and "clientKeyData" in status)
        other = str(answer.get("apiVersion"))
    except (ValueError, KeyError, TypeError, AttributeError):
        status, whole, other = {}, False, version
    if not whole or not isinstance(status, dict):
        raise KubeError(f"{name} printed no ExecCredential with a token or a certificate and its key")
    if other != version:
        raise KubeError(f"{name} speaks {other}, and the kubeconfig asks for {version}: one of them is to be updated")
    return status

"""The credential plugin that a kubeconfig names: a program that prints a token or a certificate, as kubectl runs it."""

from __future__ import annotations

import asyncio
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


async def credential(
    settings: dict[str, Any], folder: str, told: Callable[[str], None], *, alone: bool = False
) -> dict[str, Any]:
    """The `status` of what it prints.

    Args:
        settings: the user's `exec` of the kubeconfig.
        folder: of the kubeconfig: a command with a slash is relative to it.
        told: gets what is waited for, if it takes long.
        alone: nobody is there to read what it says, or to answer.

    Raises:
        KubeError: it is not there, fails, takes too long or prints something else; the message says what to do.
    """
    command = str(settings.get("command") or "")
    name = f"the kubeconfig's credential plugin {command}"
    program = command if os.sep not in command else str(Path(folder) / Path(command).expanduser())
    asks = not alone and settings.get("interactiveMode") != "Never" and sys.stdin is not None and sys.stdin.isatty()
    version = str(settings.get("apiVersion"))
    info = {"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": asks}}
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

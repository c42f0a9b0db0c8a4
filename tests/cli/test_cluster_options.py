"""kubectl's options reach the API server from every command, and `kubectl tapper` is the same program."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from tests.kube.api_server import serving, written

if TYPE_CHECKING:
    from conftest import Tapper

COMMANDS = (
    ("tap", "orders"),
    ("attach",),
    ("check", "--no-live"),
    ("clean", "--dry-run"),
    ("install",),
    ("uninstall",),
)
FORBIDDEN = {"kind": "Status", "status": "Failure", "reason": "Forbidden", "message": "not you", "code": 403}


@pytest.mark.asyncio
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
async def test_as_whom_one_acts_is_told_with_every_request(
    process: Tapper, tmp_path: Path, command: tuple[str, ...]
) -> None:
    told: list[tuple[str, list[str]]] = []

    async def refuse(request: web.Request) -> web.StreamResponse:
        told.append((request.headers.get("Impersonate-User", ""), request.headers.getall("Impersonate-Group", [])))
        return web.json_response(FORBIDDEN, status=403)

    async with serving(refuse) as port:
        config = written(tmp_path / "config", f"https://127.0.0.1:{port}")
        options = ("--kubeconfig", config, "--as", "jane", "--as-group", "dev", "--as-group", "ops")
        ran = await asyncio.to_thread(process, *command, *options)
    assert ran.code == 1
    assert "not you" in ran.out + ran.err or "may not" in ran.out + ran.err
    assert told
    assert all(one == ("jane", ["dev", "ops"]) for one in told)


@pytest.mark.asyncio
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
async def test_no_answer_is_waited_for_longer_than_was_said(
    process: Tapper, tmp_path: Path, command: tuple[str, ...]
) -> None:
    async def say_nothing(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with serving(say_nothing) as port:
        config = written(tmp_path / "config", f"https://127.0.0.1:{port}")
        ran = await asyncio.to_thread(process, *command, "--kubeconfig", config, "--request-timeout", "1s")
    assert ran.code == 1
    assert "did not answer within 1 s" in ran.out + ran.err


def _beside(name: str) -> Path:
    """A script of the environment that runs this."""
    script = Path(sys.executable).parent / name
    if not script.exists():
        pytest.skip(f"needs tapper to be installed beside {sys.executable}")
    return script


def test_the_plugin_of_kubectl_is_the_same_program() -> None:
    told = [
        subprocess.run([_beside(name), "tap", "--help"], check=True, capture_output=True, text=True).stdout
        for name in ("tapper", "kubectl-tapper")
    ]
    assert told[0] == told[1]


def test_kubectl_finds_its_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("needs kubectl")
    monkeypatch.setenv("PATH", f"{_beside('kubectl-tapper').parent}:/usr/bin:/bin")
    ran = subprocess.run([kubectl, "tapper", "tap", "web["], check=False, capture_output=True, text=True)
    assert ran.returncode != 0
    assert "no regular expression" in ran.stderr

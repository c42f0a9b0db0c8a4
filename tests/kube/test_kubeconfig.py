"""How a cluster that can't be reached, or does not accept what a kubeconfig has, is told: once, with what to do."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tapper.collector.authority import Authority, server_context
from tapper.kube import rights
from tapper.kube.connect import Access, connect
from tapper.kube.placement import Placement
from tapper.kube.refusals import KubeError
from tests.kube.api_server import EXPIRED, HTTPS, plugin, written

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator


@contextmanager
def _answering(status: int, body: bytes, context: ssl.SSLContext = HTTPS) -> Iterator[tuple[str, list[str]]]:
    """A server that gives every request the same answer: its address without the scheme, and the tokens it was sent."""
    tokens: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            tokens.append(self.headers.get("Authorization", ""))
            with suppress(OSError):  # who asked may be gone: the first answer was enough
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever).start()
    try:
        yield f"127.0.0.1:{server.server_port}", tokens
    finally:
        server.shutdown()
        server.server_close()


def _asked(kubeconfig: str, told: Callable[[str], None] = print) -> tuple[str, list[str]]:
    """What is said when the user's rights are asked for, and what the event loop complained of."""
    complaints: list[str] = []

    async def ask() -> str:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, about: complaints.append(str(about["message"])))
        with pytest.raises(KubeError) as failed:
            async with connect(Access(kubeconfig, told=told)) as cluster:
                await rights.ask(cluster, rights.needed(Placement("t", "i")))
        return str(failed.value)

    return asyncio.run(ask()), complaints


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, json.dumps(EXPIRED).encode(), ("does not accept these credentials", "log in again")),
        (404, b"404 page not found\n", ("is no Kubernetes API server; it says: 404 page not found",)),
        (200, b"<html>Welcome to the hotel", ("is no Kubernetes API server; it says: <html>Welcome",)),
        (503, b"no backend", ("no backend",)),
    ],
)
def test_an_answer_that_helps_nobody_is_told_once(
    tmp_path: Path, status: int, body: bytes, words: tuple[str, ...]
) -> None:
    with _answering(status, body) as (address, _):
        said, complaints = _asked(written(tmp_path / "config", f"https://{address}"))
    assert all(word in said for word in words), said
    assert complaints == []


def test_a_certificate_of_another_authority_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(Authority().certificate)
    with _answering(200, b"{}", server_context(Authority().issue(["127.0.0.1"]))) as (address, _):
        config = written(tmp_path / "config", f"https://{address}", **{"certificate-authority": "ca.pem"})
        said, complaints = _asked(config)
    assert "shows a certificate that the kubeconfig does not vouch for" in said
    assert complaints == []


def test_nobody_there_is_told_with_the_reason_alone(tmp_path: Path) -> None:
    said, complaints = _asked(written(tmp_path / "config", "https://127.0.0.1:1"))
    assert said.startswith("can't reach the cluster at https://127.0.0.1:1: Connection refused\n")
    assert complaints == []


def test_what_a_credential_plugin_gives_is_used(tmp_path: Path) -> None:
    answer = {"apiVersion": "client.authentication.k8s.io/v1", "status": {"token": "given"}}
    user = plugin(tmp_path, f"echo '{json.dumps(answer)}'")
    with _answering(401, json.dumps(EXPIRED).encode()) as (address, tokens):
        _asked(written(tmp_path / "config", f"https://{address}", user))
    assert set(tokens) == {"Bearer given"}


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'run: cloud login' >&2; exit 3", "failed with exit code 3"),
        ("echo hello", "printed no ExecCredential"),
        ("""echo '{"status": {}}'""", "printed no ExecCredential"),
        ("""echo '{"apiVersion": "v0", "status": {"token": "t"}}'""", "speaks v0"),
    ],
)
def test_a_credential_plugin_that_gives_nothing_is_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], script: str, words: str
) -> None:
    with _answering(200, b"{}") as (address, tokens):
        said, complaints = _asked(written(tmp_path / "config", f"https://{address}", plugin(tmp_path, script)))
    assert words in said
    assert (tokens, complaints) == ([], []), "nobody is asked as nobody"
    assert ("cloud login" in capfd.readouterr().err) is ("cloud login" in script)


def test_a_credential_plugin_that_is_missing_is_told_with_its_hint(tmp_path: Path) -> None:
    user = {"exec": {"apiVersion": "v1", "command": "no-such-program", "installHint": "It comes with the cloud's SDK."}}
    said, _ = _asked(written(tmp_path / "config", "https://127.0.0.1:1", user))
    assert "no-such-program can't be run: No such file or directory\nIt comes with the cloud's SDK." in said


def test_a_credential_plugin_that_waits_is_told_and_ends_with_the_user(tmp_path: Path) -> None:
    user = plugin(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 600")
    config = written(tmp_path / "config", "https://127.0.0.1:1", user)

    async def leave() -> None:
        waited = asyncio.Event()

        async def ask() -> None:
            async with connect(Access(config, told=lambda _: waited.set())):
                pass

        asking = asyncio.create_task(ask())
        await waited.wait()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    asyncio.run(leave())
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_of_several_files_the_first_that_says_so_has_the_current_context(tmp_path: Path) -> None:
    """As kubectl has it: else another cluster would be tapped than the one that kubectl shows."""
    with _answering(401, json.dumps(EXPIRED).encode()) as (address, tokens):
        first = written(tmp_path / "first", f"https://{address}", {"token": "first"})
        (tmp_path / "second").write_text((tmp_path / "first").read_text().replace("one", "two").replace("first", "no"))
        (tmp_path / "empty").touch()
        _asked(os.pathsep.join((str(tmp_path / "empty"), first, str(tmp_path / "second"))))
    assert set(tokens) == {"Bearer first"}


def test_the_paths_of_a_file_are_relative_to_it_and_not_to_that_of_its_context(tmp_path: Path) -> None:
    """Clusters, users and contexts in folders of their own, as `KUBECONFIG=a:b:c` has them."""
    names = {"clusters": "cluster", "users": "user", "contexts": "context"}
    for kind in names:
        (tmp_path / kind).mkdir()
    authority = Authority()
    (tmp_path / "clusters" / "ca.pem").write_bytes(authority.certificate)
    for kind, program in (("users", "given"), ("clusters", "not this one")):
        answer = {"apiVersion": "client.authentication.k8s.io/v1", "status": {"token": program}}
        user = plugin(tmp_path / kind, f"echo '{json.dumps(answer)}'")
    with _answering(401, b"{}", server_context(authority.issue(["127.0.0.1"]))) as (address, tokens):
        whole = yaml.safe_load(
            Path(
                written(tmp_path / "all", f"https://{address}", user, **{"certificate-authority": "ca.pem"})
            ).read_text()
        )
        for kind in names:
            part = {kind: whole[kind]} | ({"current-context": "one"} if kind == "contexts" else {})
            (tmp_path / kind / "config").write_text(yaml.safe_dump(part))
        _asked(os.pathsep.join(str(tmp_path / kind / "config") for kind in names))
    assert set(tokens) == {"Bearer given"}


def test_values_that_are_empty_are_none(tmp_path: Path) -> None:
    """As `kubectl config unset` leaves them."""
    (tmp_path / "ca.pem").write_bytes((authority := Authority()).certificate)
    cluster = {"certificate-authority": "ca.pem", "certificate-authority-data": "", "proxy-url": ""}
    with _answering(401, b"{}", server_context(authority.issue(["127.0.0.1"]))) as (address, tokens):
        user = {"token": "t", "client-certificate": "", "client-key": "", "tokenFile": ""}
        _asked(written(tmp_path / "config", f"https://{address}", user, **cluster))
    assert set(tokens) == {"Bearer t"}


@pytest.mark.parametrize("key", ["certificate-authority-data", "client-certificate-data"])
def test_a_certificate_that_is_none_is_told(tmp_path: Path, key: str) -> None:
    parts: dict[str, dict[str, str]] = {"certificate-authority-data": {}, "client-certificate-data": {}}
    parts[key] = {key: base64.b64encode(b"none").decode()}
    user = {"client-key-data": base64.b64encode(b"none").decode(), **parts["client-certificate-data"]}
    config = written(tmp_path / "config", "https://127.0.0.1:1", user, **parts["certificate-authority-data"])
    assert "the certificates for https://127.0.0.1:1 can't be used" in _asked(config)[0]


def test_a_plugin_is_told_of_the_cluster_if_the_kubeconfig_wants_it(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("of the cluster")
    user = plugin(tmp_path, f'echo "$KUBERNETES_EXEC_INFO" > {tmp_path}/info; exit 1', provideClusterInfo=True)
    cluster = {
        "certificate-authority": "ca.pem",
        "tls-server-name": "kube.internal",
        "proxy-url": "http://proxy:3128",
        "disable-compression": True,
        "extensions": [
            {"name": "other", "extension": {"no": 1}},
            {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "a"}},
        ],
    }
    _asked(written(tmp_path / "config", "https://127.0.0.1:1", user, **cluster))
    assert json.loads((tmp_path / "info").read_text()) == {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "spec": {
            "interactive": False,
            "cluster": {
                "server": "https://127.0.0.1:1",
                "tls-server-name": "kube.internal",
                "certificate-authority-data": base64.b64encode(b"of the cluster").decode(),
                "proxy-url": "http://proxy:3128",
                "disable-compression": True,
                "config": {"audience": "a"},
            },
        },
    }


def test_a_plugin_is_else_told_only_whether_its_user_can_be_asked(tmp_path: Path) -> None:
    user = plugin(tmp_path, f'echo "$KUBERNETES_EXEC_INFO" > {tmp_path}/info; exit 1')
    _asked(written(tmp_path / "config", "https://127.0.0.1:1", user))
    assert json.loads((tmp_path / "info").read_text())["spec"] == {"interactive": False}


def test_a_plugin_that_must_ask_its_user_is_not_run_where_it_can_not(tmp_path: Path) -> None:
    user = plugin(tmp_path, f"touch {tmp_path}/ran", interactiveMode="Always")
    said, _ = _asked(written(tmp_path / "config", "https://127.0.0.1:1", user))
    assert "asks its user: log in with it at a terminal first" in said
    assert not (tmp_path / "ran").exists()


def test_a_kubeconfig_may_be_json_with_tabs(tmp_path: Path) -> None:
    with _answering(401, b"{}") as (address, tokens):
        config = Path(written(tmp_path / "config", f"https://{address}"))
        config.write_text(json.dumps(yaml.safe_load(config.read_text()), indent="\t"))
        _asked(str(config))
    assert set(tokens) == {"Bearer t"}

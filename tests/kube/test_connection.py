"""How the API server is reached: by the kubeconfig's server name, for requests and for streams alike."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tapper.collector.authority import Authority, Certificate, server_context
from tapper.kube.connect import Access, connect
from tapper.kube.refusals import KubeError
from tests.kube.api_server import EXPIRED, plugin, serving, written

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

pytestmark = pytest.mark.asyncio


async def _echo(request: web.Request) -> web.StreamResponse:
    if request.headers.get("Upgrade") != "websocket":
        return web.json_response({"path": request.path})
    socket = web.WebSocketResponse(protocols=("p",))
    await socket.prepare(request)
    await socket.send_str(request.path)
    await socket.close()
    return socket


async def test_a_server_of_another_name_is_known_by_it_also_by_its_streams(tmp_path: Path) -> None:
    """As behind a tunnel: port forwards went by the address, which the certificate does not have."""
    authority = Authority()
    (tmp_path / "ca.pem").write_bytes(authority.certificate)
    async with serving(_echo, server_context(authority.issue(["kube.internal"]))) as port:
        names = {"certificate-authority": "ca.pem", "tls-server-name": "kube.internal"}
        config = written(tmp_path / "config", f"https://127.0.0.1:{port}", **names)
        async with connect(Access(config)) as cluster:
            assert await cluster.request("GET", "/version") == {"path": "/version"}
            socket = await cluster.websocket("/stream", "p")
            assert await socket.receive_str() == "/stream"
            await socket.close()


def _gives(folder: Path, *statuses: dict[str, Any]) -> dict[str, Any]:
    """A user with a plugin that gives one of them after the other, and the last again and again."""
    for number, status in enumerate(statuses):
        answer = {"apiVersion": "client.authentication.k8s.io/v1", "status": status}
        (folder / f"answer{number}").write_text(json.dumps(answer))
    last = len(statuses) - 1
    return plugin(
        folder,
        f"""cd {folder}
        n=$(wc -l < runs 2> /dev/null || echo 0)
        echo run >> runs
        cat answer$((n < {last} ? n : {last}))""",
    )


def _runs(folder: Path) -> int:
    return len((folder / "runs").read_text().splitlines())


async def _token(request: web.Request) -> web.StreamResponse:
    """Accepts all tokens but "old"."""
    token = request.headers["Authorization"].removeprefix("Bearer ")
    return web.json_response(EXPIRED, status=401) if token == "old" else web.json_response({"token": token})


async def test_a_token_is_had_anew_when_it_ends(tmp_path: Path) -> None:
    ended, later = "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
    first, second = ({"token": f"of {time[:4]}", "expirationTimestamp": time} for time in (ended, later))
    async with serving(_token) as port:
        config = written(tmp_path / "config", f"https://127.0.0.1:{port}", _gives(tmp_path, first, second))
        async with connect(Access(config)) as cluster:
            asked = [cluster.request("GET", "/version") for _ in range(3)]
            assert await asyncio.gather(*asked) == [{"token": "of 2999"}] * 3
    assert _runs(tmp_path) == 2


async def test_a_token_that_is_refused_is_had_anew(tmp_path: Path) -> None:
    async with serving(_token) as port:
        user = _gives(tmp_path, {"token": "old"}, {"token": "new"})
        async with connect(Access(written(tmp_path / "config", f"https://127.0.0.1:{port}", user))) as cluster:
            asked = [cluster.request("POST", "/x", body={}) for _ in range(3)]
            assert await asyncio.gather(*asked) == [{"token": "new"}] * 3
    assert _runs(tmp_path) == 2


async def test_a_plugin_whose_tokens_are_refused_is_not_run_for_every_request(tmp_path: Path) -> None:
    async with serving(_token) as port:
        user = _gives(tmp_path, {"token": "old"})
        async with connect(Access(written(tmp_path / "config", f"https://127.0.0.1:{port}", user))) as cluster:
            for _ in range(3):
                with pytest.raises(KubeError, match="does not accept these credentials"):
                    await cluster.request("GET", "/version")
    assert _runs(tmp_path) == 2


@asynccontextmanager
async def _asking_for_certificates(folder: Path) -> AsyncIterator[tuple[str, Callable[[str], dict[str, str]]]]:
    """The URL of a server that tells whose a client's certificate is, but refuses "old"; and what issues them."""
    authority = Authority()
    (folder / "ca.pem").write_bytes(authority.certificate)

    async def whose(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        [[[_, name]]] = request.transport.get_extra_info("peercert")["subject"]
        return web.json_response(EXPIRED, status=401) if name == "old" else web.json_response({"name": name})

    def status(name: str) -> dict[str, str]:
        issued = authority.issue([name], client=True)
        return {"clientCertificateData": issued.certificate.decode(), "clientKeyData": issued.key.decode()}

    async with serving(whose, server_context(authority.issue(["127.0.0.1"]), clients=authority.certificate)) as port:
        yield f"https://127.0.0.1:{port}", status


async def test_new_connections_have_the_certificate_that_a_plugin_renewed(tmp_path: Path) -> None:
    async with _asking_for_certificates(tmp_path) as (url, status):
        user = _gives(tmp_path, status("old"), status("new"))
        config = written(tmp_path / "config", url, user, **{"certificate-authority": "ca.pem"})
        async with connect(Access(config)) as cluster:
            assert await cluster.request("GET", "/version") == {"name": "new"}
    assert _runs(tmp_path) == 2


async def test_new_connections_have_the_certificate_that_its_files_have_now(tmp_path: Path) -> None:
    keys = {"client-certificate": "clientCertificateData", "client-key": "clientKeyData"}
    async with _asking_for_certificates(tmp_path) as (url, status):

        def write(name: str, *files: str) -> None:
            issued = status(name)
            for file in files:
                (tmp_path / f"{file}.next").write_text(issued[keys[file]])
                (tmp_path / f"{file}.next").rename(tmp_path / file)

        write("first", *keys)
        config = written(tmp_path / "config", url, {key: key for key in keys}, **{"certificate-authority": "ca.pem"})
        async with connect(Access(config)) as cluster:
            assert await cluster.request("GET", "/version") == {"name": "first"}
            write("second", "client-certificate")  # and its key not yet
            assert await cluster.request("GET", "/version") == {"name": "first"}
            write("second", *keys)
            assert await cluster.request("GET", "/version") == {"name": "second"}


async def test_the_token_of_a_file_is_read_as_it_is_renewed(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    async with serving(_token) as port:
        user = {"tokenFile": "token", "token": "of the kubeconfig"}
        async with connect(Access(written(tmp_path / "config", f"https://127.0.0.1:{port}", user))) as cluster:
            assert await cluster.request("GET", "/") == {"token": "first"}
            file.write_text("second\n")
            assert await cluster.request("GET", "/") == {"token": "second"}
            file.unlink()
            assert await cluster.request("GET", "/") == {"token": "second"}


async def _headers(request: web.Request) -> web.StreamResponse:
    """Who is told to be asking."""
    return web.json_response({"told": [[n, v] for n, v in request.headers.items() if n.startswith("Impersonate")]})


async def test_one_acts_as_whom_the_kubeconfig_says_unless_another_is_asked_for(tmp_path: Path) -> None:
    user = {
        "token": "t",
        "as": "jane",
        "as-uid": "7",
        "as-groups": ["a", "b,c"],
        "as-user-extra": {"example.com/scope": ["x", "y"]},
    }
    more = [
        ["Impersonate-Uid", "7"],
        ["Impersonate-Group", "a"],
        ["Impersonate-Group", "b,c"],
        ["Impersonate-Extra-example.com%2Fscope", "x"],
        ["Impersonate-Extra-example.com%2Fscope", "y"],
    ]
    async with serving(_headers) as port:
        config = written(tmp_path / "config", f"https://127.0.0.1:{port}", user)
        for who, told in ((None, "jane"), ("joe", "joe")):
            async with connect(Access(config, as_user=who)) as cluster:
                assert await cluster.request("GET", "/") == {"told": [["Impersonate-User", told], *more]}
                assert cluster.origin.impersonated == told


async def test_nobody_is_told_who_one_is_without_tls(tmp_path: Path) -> None:
    async def credentials(request: web.Request) -> web.StreamResponse:
        return web.json_response({"told": request.headers.get("Authorization")})

    async with serving(credentials, None) as port:
        for user in ({"token": "t"}, {"username": "u", "password": "p"}, _gives(tmp_path, {"token": "given"})):
            async with connect(Access(written(tmp_path / "config", f"http://127.0.0.1:{port}", user))) as cluster:
                assert await cluster.request("GET", "/") == {"told": None}
    assert not (tmp_path / "runs").exists()


async def test_each_group_that_is_asked_for_is_one_of_its_own(tmp_path: Path) -> None:
    async with serving(_headers) as port:
        config = written(tmp_path / "config", f"https://127.0.0.1:{port}")
        async with connect(Access(config, as_user="joe", as_groups=("a", "b"))) as cluster:
            told = [["Impersonate-User", "joe"], ["Impersonate-Group", "a"], ["Impersonate-Group", "b"]]
            assert await cluster.request("GET", "/") == {"told": told}
        with pytest.raises(KubeError, match="--as-group needs --as"):
            async with connect(Access(config, as_groups=("a",))):
                pass


async def test_a_pod_without_a_kubeconfig_asks_its_own_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority()
    for name, text in (("token", "of the pod"), ("ca.crt", authority.certificate.decode()), ("namespace", "shop")):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr("tapper.kube.connect.SERVICE_ACCOUNT", tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    async with serving(_token, server_context(authority.issue(["127.0.0.1"]))) as port:
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(port))
        async with connect(Access(as_user="jane")) as cluster:
            assert await cluster.request("GET", "/") == {"token": "bearer of the pod"}
            assert (cluster.origin.namespace, cluster.origin.impersonated) == ("shop", "jane")
    for asked in (Access(context="one"), Access(kubeconfig=str(tmp_path / "none"))):
        with pytest.raises(KubeError, match="no kubeconfig at"):
            async with connect(asked):
                pass


async def test_a_server_may_have_an_address_of_ipv6(tmp_path: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    authority = Authority()
    (tmp_path / "ca.pem").write_bytes(authority.certificate)
    async with serving(_token, server_context(authority.issue(["::1"])), host="::1") as port:
        config = written(tmp_path / "config", f"https://[::1]:{port}", **{"certificate-authority": "ca.pem"})
        async with connect(Access(config)) as cluster:
            assert await cluster.request("GET", "/") == {"token": "t"}
    async with connect(Access(config)) as cluster:
        with pytest.raises(KubeError, match=rf"^can't reach the cluster at https://\[::1\]:{port}: Connection refused"):
            await cluster.request("GET", "/")


async def test_a_server_without_a_scheme_is_one_of_https_only_with_something_to_trust(tmp_path: Path) -> None:
    async with (
        serving(_headers, None) as port,
        connect(Access(written(tmp_path / "config", f"127.0.0.1:{port}"))) as cluster,
    ):
        assert await cluster.request("GET", "/") == {"told": []}
    authority = Authority()
    (tmp_path / "ca.pem").write_bytes(authority.certificate)
    async with serving(_token, server_context(authority.issue(["127.0.0.1"]))) as port:
        config = written(tmp_path / "config", f"127.0.0.1:{port}", **{"certificate-authority": "ca.pem"})
        async with connect(Access(config)) as cluster:
            assert await cluster.request("GET", "/") == {"token": "t"}


def _issued(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, by: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    """A certificate for 127.0.0.1 as plain tools make it: what makes an authority is not critical, no key has an id."""
    subject, signer = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in (name, issuer))
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(signer, subject, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
    made = made.add_extension(x509.BasicConstraints(ca=name != "server", path_length=None), critical=False)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    return made.add_extension(address, critical=False).sign(by, hashes.SHA256())


@pytest.mark.parametrize("trusted", ["root", "between", "server"])
async def test_any_certificate_may_be_what_the_kubeconfig_trusts(tmp_path: Path, trusted: str) -> None:
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("root", "between", "server")}
    issuers = {"root": "root", "between": "root", "server": "between"}
    pem = {
        name: _issued(name, keys[name], by, keys[by]).public_bytes(serialization.Encoding.PEM)
        for name, by in issuers.items()
    }
    (tmp_path / "ca.pem").write_bytes(pem[trusted])
    unlocked = serialization.NoEncryption()
    private = keys["server"].private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unlocked)
    context = server_context(Certificate(pem["server"] + pem["between"], private))
    async with serving(_token, context) as port:
        config = written(tmp_path / "config", f"https://127.0.0.1:{port}", **{"certificate-authority": "ca.pem"})
        async with connect(Access(config)) as cluster:
            assert await cluster.request("GET", "/") == {"token": "t"}

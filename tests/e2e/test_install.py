"""A resident tapper: placed once, shown to whoever attaches, changed in place, removed."""

from __future__ import annotations

import base64
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tapper.kube import kinds
from tapper.kube.placement import COLLECTOR, NAME
from tests.e2e.taps import Tap, left, run, tapper
from tests.e2e.world import CLIENT, IMAGE, SERVER, ask, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.world import World

pytestmark = pytest.mark.cluster


@contextmanager
def installed(*arguments: str) -> Iterator[None]:
    if left(NAME):
        pytest.skip("a tapper is installed in this cluster already")
    try:
        tapper("install", *arguments)
        yield
    finally:
        run("uninstall")


CHART = Path(__file__).parents[2] / "manifests" / "helm" / "tapper"


@pytest.mark.alone
def test_the_chart_is_installed_by_helm_and_removed(world: World) -> None:
    helm = shutil.which("helm")
    if helm is None:
        pytest.skip("needs helm")
    if left(NAME):
        pytest.skip("a tapper is installed in this cluster already")
    simple = world.pod("simple-app", SERVER.format(port=80), port=80)
    world.pod("visitor", CLIENT.format(url=f"http://{simple['status']['podIP']}/hostname"), node=1)
    release = [NAME, "--namespace", world.namespace]
    subprocess.run([helm, "install", *release, str(CHART), "--set", f"image={IMAGE}"], check=True)
    try:
        until(_answers, "the chart's collector answers")
        running = Tap(command="attach")
        row = running.row(lambda row: row["dst"]["name"] == "simple-app" and row["view"] == "both", "a request")
        assert row["src"]["name"] == "visitor"
        assert running.end() == 0
    finally:
        subprocess.run([helm, "uninstall", *release], check=True)
    until(lambda: not left(NAME), "all of it is gone")


def _answers() -> bool:
    return run("attach", "-o", "none", "--quiet", "--for", "1s").returncode == 0


def _token() -> str:
    secret = ask(lambda cluster: cluster.get(kinds.SECRET, COLLECTOR, NAME))
    assert secret is not None
    return base64.b64decode(secret["data"]["api-token"]).decode()


def test_a_resident_tapper_is_attached_to_changed_and_removed(world: World) -> None:
    simple = world.pod("simple-app", SERVER.format(port=80), port=80)
    world.pod("visitor", CLIENT.format(url=f"http://{simple['status']['podIP']}/hostname"), node=1)
    with installed("-n", world.namespace):
        for _ in range(2):  # leaving changes nothing
            running = Tap(command="attach")
            row = running.row(lambda row: row["protocol"] == "http" and row["view"] == "both", "a request")
            assert (row["src"]["name"], row["dst"]["name"]) == ("visitor", "simple-app")
            assert running.end() == 0
        token = _token()
        assert "namespace/tapper\n" not in tapper("clean", "--dry-run")
        assert f"role/tapper in {world.namespace}" in left(NAME)
        tapper("install")
        assert _token() == token
        assert f"role/tapper in {world.namespace}" not in left(NAME)
        running = Tap(command="attach")
        running.row(lambda row: row["dst"]["name"] == "simple-app", "a request, tapped in all namespaces")
        assert running.end() == 0
        listed = left(NAME)
        assert tapper("uninstall").splitlines() == listed
    assert not left(NAME)
    assert "no tapper is installed" in run("attach").stderr

"""Why is it empty? The tap itself says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.taps import left, run, session, tap
from tests.e2e.world import CLIENT, SERVER, until

if TYPE_CHECKING:
    from tests.e2e.taps import Tap
    from tests.e2e.world import World

pytestmark = pytest.mark.cluster

IDLE = "import signal; signal.pause()"
ODD = """
import socket, threading, time
server = socket.create_server(("", 7000))
threading.Thread(target=lambda: [server.accept()[0] for _ in range(100)], daemon=True).start()
while True:
    with socket.create_connection(("127.0.0.1", 7000)) as s:
        s.sendall(bytes(range(1, 200)))
        time.sleep(0.3)
"""


def _says(running: Tap, words: str) -> None:
    until(lambda: any(words in line for line in " ".join(running.told).split("\n")), words, 90)


def test_each_reason_has_its_words(world: World) -> None:
    simple = world.pod("simple-app", SERVER.format(port=80), port=80)
    world.pod("visitor", CLIENT.format(url=f"http://{simple['status']['podIP']}/hostname"), node=1)
    world.pod("idle", IDLE)
    world.pod("odd", ODD)
    nothing = run("tap", "ile", "-n", world.namespace, "-o", "jsonl")
    assert nothing.returncode == 1
    assert "Near: idle." in nothing.stderr
    elsewhere = run("tap", "idle", "-n", f"{world.namespace}x", "-o", "jsonl")
    assert elsewhere.returncode == 1
    assert f"There is no namespace {world.namespace}x. Near: {world.namespace}." in elsewhere.stderr
    with (
        tap("idle", "-n", world.namespace) as idle,
        tap("odd", "-n", world.namespace) as odd,
        tap("-n", world.namespace, "-f", "status == 599") as filtered,
    ):
        _says(idle, "nobody calls them")
        _says(odd, "no complete request")
        _says(filtered, "none that matches the filter")


def test_a_missing_image_is_told_at_once_with_what_to_do(world: World) -> None:
    world.pod("idle", IDLE)
    told = run("tap", "-n", world.namespace, "-o", "jsonl", "--image", "localhost:1/missing:1").stderr
    assert "the nodes can't get the image localhost:1/missing:1" in told
    assert "kind load docker-image" in told
    assert "removed what was placed" in told


def test_an_image_that_takes_long_to_pull_is_told(world: World) -> None:
    world.pod("idle", IDLE)
    far = "203.0.113.8:5000/far:1"
    with world.silent("203.0.113.8"), tap("-n", world.namespace, "--image", far) as running:
        until(lambda: any(f'Pulling image "{far}"' in line for line in running.told), "what it waits for")
        mine = session(world.namespace)
        running.end()
        # a node may keep a pod until what it pulls for it has come or failed
        ends = ("removed what was placed in the cluster", "is still being deleted")
        assert any(words in line for line in running.told for words in ends), running.told
        until(lambda: not left(mine), "all of it is gone")


def test_progress_is_told_once_in_a_pipe_and_a_quiet_tap_says_nothing(world: World) -> None:
    world.pod("idle", IDLE)
    with tap("-n", world.namespace) as running, running.feed():
        assert sum("ready on" in line for line in running.told) == 1
        assert not any("\r" in line or "\x1b" in line for line in running.told)
    quiet = run("tap", "-n", world.namespace, "-o", "none", "--quiet", "--for", "1s")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


REFUSED = "example.org/refused:1"


def test_pods_that_can_not_be_made_are_told_with_the_clusters_reason(world: World) -> None:
    """An admission policy as clusters have them; this one is for one image only."""
    world.pod("idle", IDLE)
    api, meta = "admissionregistration.k8s.io/v1", {"name": world.namespace}
    pods = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    rule = {"expression": f"object.spec.containers[0].image != '{REFUSED}'", "message": "not from this registry"}
    policy = {"failurePolicy": "Fail", "matchConstraints": {"resourceRules": [pods]}, "validations": [rule]}
    bound = {"policyName": world.namespace, "validationActions": ["Deny"]}
    with (
        world.extra(f"/apis/{api}/validatingadmissionpolicies", {"apiVersion": api, "metadata": meta, "spec": policy}),
        world.extra(
            f"/apis/{api}/validatingadmissionpolicybindings", {"apiVersion": api, "metadata": meta, "spec": bound}
        ),
        tap("-n", world.namespace, "--image", REFUSED) as running,
    ):
        _says(running, "not from this registry")

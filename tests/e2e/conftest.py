"""These tests run on the cluster that KUBECONFIG names: a cluster of one's own, kind, minikube."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.world import World


@pytest.fixture
def world() -> Iterator[World]:
    """A namespace of the test's own."""
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("needs a Kubernetes cluster with tapper's image on its nodes: set KUBECONFIG")
    from tests.e2e.world import World

    made = World()
    yield made
    made.close()

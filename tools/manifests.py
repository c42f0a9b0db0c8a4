"""Makes manifests/ out of the objects that `tapper install` places: `python -m tools.manifests` rewrites them.

tests/kube/test_manifests.py compares. The chart's secrets (keys that Helm makes itself) are written by hand.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tapper.cli.cluster_options import default_image
from tapper.kube.credentials import Credentials
from tapper.kube.manifest import namespace, objects
from tapper.kube.placement import NAME, Placement

ROOT = Path(__file__).parents[1] / "manifests"
MADE = "# Made by tools/manifests.py from the objects that `tapper install` places; change those.\n"
FILES = {
    "namespace": ("Namespace",),
    "rights": ("ServiceAccount", "ClusterRole", "ClusterRoleBinding"),
    "collector": ("Service", "Deployment"),
    "agent": ("DaemonSet",),
}
VALUES = {
    "IMAGE": "{{ .Values.image | quote }}",
    "PULL_POLICY": "{{ .Values.imagePullPolicy }}",
    "\n      - name: PULL_SECRETS": " {{ toJson .Values.imagePullSecrets }}",
}
"""Of the chart: what stands for it while the objects are made, and how the template has it."""


def placed(**more: Any) -> list[dict[str, Any]]:
    """What is placed, without the secrets."""
    placement = Placement(NAME, temporary=False, **{"image": default_image(), **more})
    made = objects(placement, Credentials(*[""] * 8))
    return [namespace(placement), *(item for item in made if item["kind"] != "Secret")]


def dumped(items: list[dict[str, Any]], kinds: tuple[str, ...]) -> str:
    """Those of some kinds as YAML."""
    return MADE + yaml.safe_dump_all((i for i in items if i["kind"] in kinds), sort_keys=False, width=1_000)


def files() -> dict[str, str]:
    """The text of each file that is made, by its path within manifests/."""
    made = {f"kustomize/{name}.yaml": dumped(placed(), kinds) for name, kinds in FILES.items()}
    resources = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [f"{name}.yaml" for name in FILES],
    }
    made["kustomize/kustomization.yaml"] = MADE + yaml.safe_dump(resources, sort_keys=False)
    items = placed(image="IMAGE", pull_policy="PULL_POLICY", pull_secrets=("PULL_SECRETS",))
    for name, kinds in FILES.items():
        text = dumped(items, kinds)
        for marker, value in VALUES.items():
            text = text.replace(marker, value)
        made[f"helm/tapper/templates/{name}.yaml"] = text
    return made


if __name__ == "__main__":
    for name, text in files().items():
        (ROOT / name).write_text(text)

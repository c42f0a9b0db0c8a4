"""manifests/ holds what `tapper install` places, for those who bring it into a cluster by Kustomize or Helm."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tapper.kube.installing import documents
from tapper.kube.placement import NAME, Placement
from tools.manifests import ROOT, files, placed

CHART = ROOT / "helm" / "tapper"


def _by_name(items: list[Any]) -> dict[str, Any]:
    return {f"{item['kind']}/{item['metadata']['name']}": item for item in items}


@pytest.mark.parametrize("name", list(files()))
def test_files_are_fresh(name: str) -> None:
    assert (ROOT / name).read_text() == files()[name], "run python -m tools.manifests"


def test_the_kustomize_base_is_what_is_placed_but_for_the_secrets() -> None:
    made: list[Any] = []
    for name in yaml.safe_load((ROOT / "kustomize" / "kustomization.yaml").read_text())["resources"]:
        made += yaml.safe_load_all((ROOT / "kustomize" / name).read_text())
    assert _by_name(made) == _by_name(placed())
    whole = _by_name(documents(Placement(NAME, "x", temporary=False)))
    assert whole.keys() - _by_name(made).keys() == {"Secret/tapper-collector", "Secret/tapper-agent"}


def test_kustomize_takes_the_base() -> None:
    programs = ([shutil.which("kustomize"), "build"], [shutil.which("kubectl"), "kustomize"])
    program = next((p for p in programs if p[0]), None)
    if program is None:
        pytest.skip("needs kustomize or kubectl")
    command = [str(part) for part in (*program, ROOT / "kustomize")]
    built = subprocess.run(command, check=True, capture_output=True, text=True)
    assert _by_name(list(yaml.safe_load_all(built.stdout))) == _by_name(placed())


def test_the_chart_with_its_own_values_is_what_is_placed() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    made: list[Any] = []
    for file in sorted((CHART / "templates").glob("*.yaml")):
        if file.name != "secrets.yaml":
            text = re.sub(
                r"{{-? (?:toJson )?\.Values\.(\w+).*?}}", lambda f: json.dumps(values[f[1]]), file.read_text()
            )
            made += yaml.safe_load_all(text)
    for item in made:
        if "template" in item.get("spec", {}):
            assert item["spec"]["template"]["spec"].pop("imagePullSecrets") == []
    assert _by_name(made) == _by_name(placed(pull_policy="IfNotPresent"))


def test_helm_takes_the_chart() -> None:
    helm = shutil.which("helm")
    if helm is None:
        pytest.skip("needs helm")
    _whole_chart(subprocess.run([helm, "template", "x", CHART], check=True, capture_output=True, text=True).stdout)


def _whole_chart(text: str) -> None:
    made = _by_name([item for item in yaml.safe_load_all(text) if item])
    without_secrets = {name: item for name, item in made.items() if not name.startswith("Secret/")}
    for item in without_secrets.values():
        if "template" in item.get("spec", {}):
            assert item["spec"]["template"]["spec"].pop("imagePullSecrets") == []
    assert without_secrets == _by_name(placed(pull_policy="IfNotPresent"))
    assert made.keys() == _by_name(documents(Placement(NAME, "x", temporary=False))).keys()
    collector = made["Secret/tapper-collector"]["data"]
    assert collector.keys() == {"ca.crt", "tls.crt", "tls.key", "agent-token", "api-token", "tap.json"}
    assert made["Secret/tapper-agent"]["data"].keys() == {"ca.crt", "tls.pem", "agent-token"}


def test_the_versions_are_the_programs() -> None:
    version = re.search(r'^version = "(.+)"', (Path(__file__).parents[2] / "pyproject.toml").read_text(), re.MULTILINE)
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert version is not None
    assert chart["version"] == chart["appVersion"] == version[1]

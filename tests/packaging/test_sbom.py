"""The bill of materials: it names what is in the bundle, and no more."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from kinds.sbom import Bom, find_errors, restrict
from recipe import BuildFailed

ROOT = Path(__file__).parents[2]
PYTHON = {"kind": "interpreter", "name": "Python", "version": "3.13.1"}
STARLETTE = {"kind": "python", "name": "starlette", "version": "1"}
LIBRARY = {"kind": "library", "name": "libffi8", "version": "3.4.4-1+b1~x"}


@pytest.fixture(scope="module")
def environment() -> Bom:
    """The bill of materials of this environment."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible"]
    made = subprocess.run([*command, "--pyproject", "pyproject.toml"], cwd=ROOT, capture_output=True, check=True)
    bom: Bom = json.loads(made.stdout)
    return bom


def test_it_has_the_bundles_components_and_no_tools(environment: Bom) -> None:
    names = {component["name"] for component in environment["components"]}
    assert {"starlette", "pyinstaller", "pytest"} <= names
    facts = [PYTHON, {"kind": "python", "name": "Ruamel_YAML", "version": "1"}, STARLETTE, LIBRARY]
    bom = restrict(environment, facts, "1.2.3")
    assert [component["name"] for component in bom["components"]] == ["ruamel.yaml", "starlette", "Python", "libffi8"]
    assert bom["metadata"]["component"]["version"] == "1.2.3"
    assert bom["components"][2]["purl"] == "pkg:generic/python@3.13.1"
    assert bom["components"][3]["purl"].startswith("pkg:deb/")
    assert bom["components"][3]["purl"].endswith("/libffi8@3.4.4-1%2Bb1~x")
    assert find_errors(json.dumps(bom)) is None


def test_dependencies_lead_to_what_is_there(environment: Bom) -> None:
    bom = restrict(environment, [PYTHON, STARLETTE], "1.2.3")
    known = {"root-component", *(component["bom-ref"] for component in bom["components"])}
    assert {edge["ref"] for edge in bom["dependencies"]} == known
    assert {target for edge in bom["dependencies"] for target in edge.get("dependsOn", [])} < known
    (root,) = (edge for edge in bom["dependencies"] if edge["ref"] == "root-component")
    assert len(root["dependsOn"]) == 2


def test_a_component_that_the_environment_lacks_is_named(environment: Bom) -> None:
    with pytest.raises(BuildFailed, match="lacks vanished"):
        restrict(environment, [{"kind": "python", "name": "vanished", "version": "1"}], "1.2.3")


def test_what_the_schema_forbids_is_found(environment: Bom) -> None:
    error = find_errors(json.dumps({**environment, "surprise": 1}))
    assert error is not None
    assert "'surprise' was unexpected" in error
    assert "\n" not in error

"""The bill of materials of the bundle, in CycloneDX's format: packages of Python, the interpreter and libraries."""

import json
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from environments import interpreter
from kinds.bundle import SPEC, missing
from licenses import COMPONENTS_FILE, canonical_name
from project import ROOT
from recipe import Build, BuildFailed, Kind

Bom = dict[str, Any]
ROOT_REF = "root-component"
"""What cyclonedx-py calls the program."""


def build(build: Build) -> Path:
    """Write the bill of materials of the bundle that was just built. Returns the file."""
    work = build.output / "work" / "bundle"
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible"]
    command += ["--pyproject", str(ROOT / "pyproject.toml"), str(interpreter(work / "environment"))]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode:
        raise BuildFailed(f"the bill of materials was not made:\n{made.stderr}")
    facts = work / "analysis" / SPEC.stem / COMPONENTS_FILE
    bom = restrict(json.loads(made.stdout), json.loads(facts.read_text(encoding="utf-8")), build.project.version)
    system = {"linux": "linux", "win32": "windows", "darwin": "macos"}[sys.platform]
    name = f"{build.project.name}-{build.project.version}-{system}-{platform.machine().lower()}.cdx.json"
    path = build.output / name
    path.write_text(json.dumps(bom, indent=1) + "\n", encoding="utf-8")
    return path


def restrict(bom: Bom, facts: Sequence[Mapping[str, str]], version: str) -> Bom:
    """Restrict an environment's bill of materials to what is in the bundle, and add what is not of Python.

    `facts` are the bundle's components, as the licenses name them. Raises BuildFailed if the environment lacks one.
    """
    packages = {canonical_name(fact["name"]) for fact in facts if fact["kind"] == "python"}
    kept = [component for component in bom["components"] if canonical_name(component["name"]) in packages]
    if missing := packages.difference(canonical_name(component["name"]) for component in kept):
        raise BuildFailed(f"the bill of materials lacks {', '.join(sorted(missing))}")
    others = [describe(fact) for fact in facts if fact["kind"] != "python" and fact["version"]]
    references = {ROOT_REF, *(component["bom-ref"] for component in kept)}
    own = {**bom["metadata"]["component"], "version": version}
    return {
        **bom,
        "metadata": {**bom["metadata"], "component": own},
        "components": [*kept, *others],
        "dependencies": list(_restrict_dependencies(bom["dependencies"], references, others)),
    }


def _restrict_dependencies(edges: Iterable[Bom], references: set[str], others: Sequence[Bom]) -> Iterable[Bom]:
    for edge in edges:
        if edge["ref"] in references:
            targets = [target for target in edge.get("dependsOn", []) if target in references]
            # All of the program is run by the interpreter and links the system's libraries in some part.
            targets += [other["bom-ref"] for other in others] if edge["ref"] == ROOT_REF else []
            yield {"ref": edge["ref"], **({"dependsOn": targets} if targets else {})}
    yield from ({"ref": other["bom-ref"]} for other in others)


def describe(fact: Mapping[str, str]) -> Bom:
    """Describe the interpreter, or a library that came from a package of Debian or Ubuntu."""
    name, version = fact["name"], fact["version"]
    if fact["kind"] == "interpreter":
        address = f"pkg:generic/python@{version}"
    else:
        distribution = platform.freedesktop_os_release().get("ID", "debian")
        address = f"pkg:deb/{distribution}/{name}@{quote(version, safe='~:')}"
    return {"bom-ref": f"{name}=={version}", "name": name, "purl": address, "type": "library", "version": version}


def check(build: Build, path: Path) -> None:
    """Check the file against CycloneDX's schema."""
    if found := find_errors(path.read_text(encoding="utf-8")):
        raise BuildFailed(f"{path.name} is no valid bill of materials: {found}")


def find_errors(text: str) -> str | None:
    """The first violation of CycloneDX's schema, or None."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    # The rest of the text is the whole schema.
    return str(error).partition("\n")[0] if error else None


KIND = Kind("sbom", "bill of materials of the bundle (CycloneDX)", build, check, needs=("bundle",), missing=missing)

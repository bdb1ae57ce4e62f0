"""The wheel is complete: it contains the data files that the program needs."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_wheel_holds_the_program_and_its_resources(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    resources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "resources").rglob("*") if path.is_file()}
    assert len(resources) > 5
    assert {f"tray_app/{name}" for name in resources} <= names
    code = {path.relative_to(ROOT).as_posix() for top in ("server", "tray_app") for path in (ROOT / top).rglob("*.py")}
    assert code <= names
    assert not [name for name in names if name.startswith(("tests/", "dev"))]

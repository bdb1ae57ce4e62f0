"""How the program was installed, found in environments that were really made."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from server.config.own_commands import Installation
from tray_app.updates.install_method import (
    InstallMethod,
    PythonPackage,
    Surroundings,
    find_install_method,
    follows_branch,
)

ROOT = Path(__file__).parents[3]
CHECKOUT = ("server", "tray_app", "packaging", "resources", "pyproject.toml", "README.md", "LICENSE", "dev.py")
NO_JUNK = shutil.ignore_patterns("__pycache__", ".*")

REPORT = """
import dataclasses, json, sys
from pathlib import Path
import dragoman
inside = Path(dragoman.__file__).parent
if (inside / "server").is_dir():
    sys.path.insert(0, str(inside))
from tray_app.updates.install_method import find_install_method
print(json.dumps(dataclasses.asdict(find_install_method()), default=str))
"""


def run(*command: str | Path, **environment: str) -> str:
    ran = subprocess.run(
        [str(word) for word in command], env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main")
    return run("git", *who, "-C", folder, *words)


def build_wheel(checkout: Path, out: Path) -> Path:
    out.mkdir(exist_ok=True)
    ran = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    (wheel,) = out.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout in a repository of its own."""
    folder = tmp_path_factory.mktemp("checkout") / "dragoman"
    folder.mkdir()
    for name in CHECKOUT:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=NO_JUNK)
        else:
            shutil.copy(source, folder)
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(checkout, tmp_path_factory.mktemp("wheel"))


class Environment:
    """A virtual environment that finds the dependencies of this one behind its own packages."""

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix
        if not prefix.exists():
            run(sys.executable, "-m", "venv", "--without-pip", prefix)
        self.python = prefix / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        self.site = Path(run(self.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
        others = [path for path in sys.path if "site-packages" in path]
        (self.site / "others.pth").write_text("\n".join(others))

    def install(self, *arguments: str | Path) -> None:
        """Install by the pip of this environment, which writes the same records as the other one's own."""
        pip = [sys.executable, "-m", "pip", "--python", self.python, "install", "-q", "--no-deps", "--no-index"]
        run(*pip, "--no-build-isolation", "--ignore-installed", *arguments)

    def report(self, **environment: str) -> InstallMethod:
        """What the program that is installed there finds."""
        # Outside of the checkout, whose packages must not be found.
        ran = subprocess.run(
            [self.python, "-c", REPORT], cwd=self.prefix, env=os.environ | environment, capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stderr
        return as_method(json.loads(ran.stdout))


def as_method(found: dict[str, Any]) -> InstallMethod:
    found = {**found, "path": Path(found["path"])}
    if (package := found["package"]) is not None:
        package |= {"python": Path(package["python"]), "extras": tuple(package["extras"])}
        found["package"] = PythonPackage(**package)
    return InstallMethod(**found)


@pytest.fixture(scope="module")
def from_index(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """An environment with the wheel, as from an index."""
    environment = Environment(tmp_path_factory.mktemp("index") / "venv")
    environment.install("--find-links", wheel.parent, "dragoman")
    return environment.prefix


@pytest.fixture
def installed(tmp_path: Path, from_index: Path) -> Callable[..., Environment]:
    """Makes environments with the wheel, as from an index, in the given place."""

    def make(prefix: Path = tmp_path / "venv") -> Environment:
        shutil.copytree(from_index, prefix, symlinks=True)
        return Environment(prefix)

    return make


def package_of(method: InstallMethod) -> PythonPackage:
    assert method.kind == "package"
    assert method.package is not None
    return method.package


def test_pip_from_an_index(installed: Callable[..., Environment]) -> None:
    environment = installed()
    method = environment.report()
    package = package_of(method)
    assert (package.installer, package.origin, package.source) == ("pip", "index", "")
    assert package.python == environment.python
    assert method.path == environment.prefix
    # All that the developers' environment has is found behind this one.
    assert {"tray", "otel"} <= set(package.extras)


def test_pip_from_a_file(tmp_path: Path, wheel: Path) -> None:
    environment = Environment(tmp_path / "venv")
    environment.install(wheel)
    package = package_of(environment.report())
    assert (package.installer, package.origin, package.source) == ("pip", "file", wheel.as_uri())


def test_pip_from_a_folder(tmp_path: Path, checkout: Path) -> None:
    environment = Environment(tmp_path / "venv")
    environment.install(checkout)
    package = package_of(environment.report())
    assert (package.installer, package.origin, package.source) == ("pip", "folder", str(checkout))


def test_pip_from_a_repository(tmp_path: Path, checkout: Path) -> None:
    environment = Environment(tmp_path / "venv")
    environment.install(f"git+{checkout.as_uri()}")
    package = package_of(environment.report())
    assert (package.installer, package.origin, package.source) == ("pip", "git", checkout.as_uri())


def test_an_editable_installation_is_a_checkout(tmp_path: Path, checkout: Path) -> None:
    environment = Environment(tmp_path / "venv")
    environment.install("-e", checkout)
    assert environment.report() == InstallMethod("checkout", checkout)


def test_this_checkout() -> None:
    assert find_install_method() == InstallMethod("checkout", ROOT)


def test_pipx(tmp_path: Path, installed: Callable[..., Environment]) -> None:
    environment = installed(tmp_path / "pipx" / "venvs" / "dragoman-next")
    main = {"package": "dragoman", "package_or_url": "dragoman[tray]", "suffix": "-next"}
    (environment.prefix / "pipx_metadata.json").write_text(json.dumps({"main_package": main}))
    package = package_of(environment.report())
    assert (package.installer, package.origin, package.name) == ("pipx", "index", "dragoman-next")


def test_uv_tool(tmp_path: Path, installed: Callable[..., Environment]) -> None:
    environment = installed(tmp_path / "uv" / "tools" / "dragoman")
    (environment.prefix / "uv-receipt.toml").write_text('[tool]\nrequirements = [{ name = "dragoman" }]\n')
    package = package_of(environment.report())
    assert (package.installer, package.origin, package.name) == ("uv_tool", "index", "dragoman")


def write_installer(environment: Environment, name: str) -> None:
    """Write another installer's name where pip wrote its own."""
    (record,) = environment.site.glob("dragoman-*.dist-info/INSTALLER")
    record.write_text(name)


def test_uv_pip(installed: Callable[..., Environment]) -> None:
    environment = installed()
    write_installer(environment, "uv")
    package = package_of(environment.report())
    assert (package.installer, package.origin) == ("uv", "index")


def test_uvx(tmp_path: Path, installed: Callable[..., Environment]) -> None:
    cache = tmp_path / "cache" / "uv"
    cache.mkdir(parents=True)
    (cache / "CACHEDIR.TAG").write_text("Signature: 8a477f597d28d172789f06886806bc55")
    environment = installed(cache / "archive-v0" / "ZZ5Y7mwaFfoyh3T7")
    write_installer(environment, "uv")
    assert package_of(environment.report()).installer == "uvx"


def test_another_installer(installed: Callable[..., Environment]) -> None:
    environment = installed()
    write_installer(environment, "conda")
    assert package_of(environment.report()).installer == "other"


def test_without_metadata(tmp_path: Path, installed: Callable[..., Environment]) -> None:
    environment = installed()
    shutil.rmtree(next(environment.site.glob("dragoman-*.dist-info")))
    (environment.site / "others.pth").unlink()
    for name in ("packaging", "platformdirs"):
        shutil.copytree(Path(sys.modules[name].__file__ or "").parent, environment.site / name, ignore=NO_JUNK)
    package = package_of(environment.report())
    assert (package.installer, package.source) == ("other", str(environment.site / "dragoman"))


def frozen(executable: Path, platform: str = "linux", **environment: str) -> Installation:
    return Installation(executable, executable, frozen=True, environment=environment, platform=platform)


def found(installation: Installation, root: Path, **changes: Any) -> InstallMethod:
    return find_install_method(Surroundings(installation=installation, root=root, **changes))


def make_file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_a_flatpak(tmp_path: Path) -> None:
    info = (
        "[Application]\nname=io.github.o.dragoman\nruntime=runtime/org.kde.Platform/x86_64/6.9\n\n[Context]\nx=100%;\n"
    )
    (tmp_path / ".flatpak-info").write_text(info)
    method = found(frozen(Path("/app/lib/dragoman/dragoman")), tmp_path)
    assert (method.kind, method.name) == ("flatpak", "io.github.o.dragoman")


@pytest.mark.parametrize("broken", ["", "nonsense", "[Application]\n", "\0"])
def test_a_broken_flatpak_file_is_none(tmp_path: Path, broken: str) -> None:
    (tmp_path / ".flatpak-info").write_text(broken)
    assert found(frozen(tmp_path / "d" / "dragoman"), tmp_path).kind == "folder"


def test_an_appimage(tmp_path: Path) -> None:
    image = str(tmp_path / "Dragoman.AppImage")
    program = tmp_path / "mount" / "usr" / "lib" / "dragoman" / "dragoman"
    method = found(frozen(program, APPIMAGE=image, APPDIR=str(tmp_path / "mount")), tmp_path)
    assert method == InstallMethod("appimage", Path(image))
    # Variables that another AppImage has left to its children.
    assert found(frozen(program, APPIMAGE=image, APPDIR="/tmp/.mount_other"), tmp_path).kind == "folder"


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg")
def test_a_debian_package(tmp_path: Path) -> None:
    tree, root = tmp_path / "tree", tmp_path / "root"
    program = make_file(tree / "usr/lib/dragoman/dragoman")
    (tree / "usr/bin").mkdir()
    (tree / "usr/bin/dragoman").symlink_to("../lib/dragoman/dragoman")
    control = make_file(tree / "DEBIAN/control")
    control.write_text(
        "Package: dragoman\nVersion: 0.1.0\nArchitecture: all\nMaintainer: A <a@b.example>\nDescription: test\n"
    )
    run("dpkg-deb", "--root-owner-group", "--build", tree, tmp_path / "dragoman.deb")
    for name in ("info", "updates"):
        (root / "var/lib/dpkg" / name).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    (root / "var/lib/dpkg/info/dragoman-other.list").write_text("/usr/share/other\n")
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    run("dpkg", f"--root={root}", "--force-not-root", "--install", tmp_path / "dragoman.deb", PATH=path)
    installed_program = Path("/") / program.relative_to(tree)
    method = found(frozen(installed_program), root)
    assert (method.kind, method.name) == ("deb", "dragoman")
    # The same bundle, unpacked elsewhere on a computer that has the package as well.
    assert found(frozen(tmp_path / "Downloads" / "dragoman" / "dragoman"), root).kind == "folder"
    run("dpkg", f"--root={root}", "--force-not-root", "--remove", "dragoman", PATH=path)
    assert found(frozen(installed_program), root).kind == "folder"


def test_a_package_of_another_architecture(tmp_path: Path) -> None:
    make_file(tmp_path / "var/lib/dpkg/info/dragoman:amd64.list").write_text("/.\n/usr\n/usr/lib/dragoman/dragoman\n")
    method = found(frozen(Path("/usr/lib/dragoman/dragoman")), tmp_path)
    assert (method.kind, method.name) == ("deb", "dragoman")


def test_windows(tmp_path: Path) -> None:
    program = make_file(tmp_path / "Programs" / "Dragoman" / "dragoman.exe")
    assert found(frozen(program, "win32"), tmp_path) == InstallMethod("windows_folder", program.parent)
    make_file(program.parent / "Uninstall.exe")
    assert found(frozen(program, "win32"), tmp_path) == InstallMethod("windows_installer", program.parent)


def test_macos(tmp_path: Path) -> None:
    app = tmp_path / "Applications" / "Dragoman.app"
    program = make_file(app / "Contents" / "MacOS" / "dragoman")
    assert found(frozen(program, "darwin"), tmp_path) == InstallMethod("macos_app", app)
    loose = make_file(tmp_path / "dragoman" / "dragoman")
    assert found(frozen(loose, "darwin"), tmp_path) == InstallMethod("folder", loose.parent)


def test_a_checkout_follows_a_branch_or_stands_on_a_tag(tmp_path: Path, checkout: Path) -> None:
    clone, tree = tmp_path / "clone", tmp_path / "tree"
    run("git", "clone", "-q", checkout, clone)
    assert follows_branch(clone)
    git(clone, "worktree", "add", "-q", tree, "-b", "other")
    assert follows_branch(tree)
    git(tree, "checkout", "-q", "--detach")
    assert not follows_branch(tree)
    assert follows_branch(clone)
    assert not follows_branch(tmp_path)

"""Licenses of what is bundled: each text is there once, and a part without one is refused."""

import sys
from importlib.metadata import distribution
from pathlib import Path

import licenses
import pytest
from licenses import Component, LicenseMissing, find_owners, list_components, render_texts


def file_of(name: str, ending: str) -> Path:
    """A file that a distribution has installed here."""
    found = distribution(name)
    return Path(str(next(found.locate_file(file) for file in found.files or () if str(file).endswith(ending))))


def install(root: Path, name: str, files: dict[str, str]) -> Path:
    """Install a made-up distribution below `root`. Returns the folder of its metadata."""
    info = root / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    files = {f"{name}.py": "", f"{info.name}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"} | files
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (info / "RECORD").write_text("".join(f"{path},,\n" for path in files))
    return info


def test_packages_whose_files_are_bundled_are_listed_with_their_texts() -> None:
    sources = [file_of("orjson", "orjson/__init__.py"), file_of("structlog", "structlog/__init__.py")]
    python, *packages = list_components(sources, own="dragoman")
    assert (python.name, python.license) == ("Python", "PSF-2.0")
    assert "PYTHON SOFTWARE FOUNDATION LICENSE" in python.texts[0]
    assert [component.name for component in packages] == ["orjson", "structlog"]
    assert any("Mozilla Public License" in text for text in packages[0].texts)
    assert len(packages[1].texts) == 3  # two licenses to choose from, and a notice
    # The MPL asks for the way to the source.
    assert " https://github.com/ijl/orjson\n" in render_texts("Dragoman", [python, *packages])


def test_texts_that_packages_lack_are_supplied() -> None:
    sources = [
        file_of("PySide6-Essentials", "PySide6/__init__.py"),
        file_of("qtawesome", "materialdesignicons6-webfont-6.9.96.ttf"),
    ]
    text = render_texts("Dragoman", list_components(sources, own="dragoman"))
    for words in (
        "GNU LESSER GENERAL PUBLIC LICENSE",
        "GNU GENERAL PUBLIC LICENSE",
        "Apache License",
        f"Qt {distribution('PySide6-Essentials').version} and PySide6",
        "Sources: https://download.qt.io/",
        "Pictogrammers",
    ):
        assert words in text, words


def test_the_program_itself_is_no_third_party() -> None:
    components = list_components([file_of("orjson", "orjson/__init__.py")], own="orjson")
    assert [component.kind for component in components] == ["interpreter"]


def test_a_package_without_a_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "bare", {})
    install(tmp_path, "licensed", {"licensed-1.0.dist-info/licenses/own.MIT": "Do as you like."})
    monkeypatch.syspath_prepend(str(tmp_path))
    sources = [tmp_path / "bare.py", tmp_path / "licensed.py"]
    with pytest.raises(LicenseMissing, match=r"no license text is found for bare 1\.0: add it to packaging/license_te"):
        list_components(sources, own="dragoman")
    (licensed,) = list_components(sources[1:], own="dragoman")[1:]
    assert (licensed.title, licensed.texts) == ("licensed 1.0", ("Do as you like.",))


def test_a_text_of_several_packages_is_printed_once() -> None:
    parts = [Component("python", name, "1", "MIT", ("Permission is granted",), "A note.") for name in ("a", "b", "c")]
    text = render_texts("The program 1", parts)
    assert text.startswith("The program 1 is distributed together with")
    assert text.count("Permission is granted") == 1
    assert text.count("A note.") == 1
    assert "\na 1, b 1, c 1\n" in text


@pytest.mark.skipif(not Path("/usr/bin/dpkg-query").exists(), reason="libraries are found on Debian alone")
def test_libraries_of_debian_have_the_texts_of_their_packages() -> None:
    found = sorted(Path("/usr/lib").glob("*-linux-gnu/libxcb-cursor.so.0"))
    assert [owner and owner[0] for owner in find_owners(map(str, found)).values()] == ["libxcb-cursor0"] * len(found)
    library = next(part for part in list_components(found, own="dragoman") if part.kind == "library")
    assert library.name == "libxcb-cursor0"
    assert library.version
    assert "Copyright" in library.texts[0]


def test_libraries_of_no_package_are_named(tmp_path: Path) -> None:
    stranger = tmp_path / "libstranger.so.1"
    stranger.touch()
    (library,) = (part for part in list_components([stranger], own="dragoman") if part.kind == "library")
    assert "libstranger.so.1: taken from the system" in library.texts[0]


def test_both_files_are_written(tmp_path: Path) -> None:
    path = licenses.write_licenses(tmp_path, "Dragoman 1", "dragoman", [file_of("orjson", "orjson/__init__.py")])
    assert path == tmp_path / "THIRD-PARTY-LICENSES.txt"
    version = ".".join(map(str, sys.version_info[:3]))
    facts = (tmp_path / "components.json").read_text()
    assert f'"name": "Python",\n  "version": "{version}"' in facts
    assert '"name": "orjson"' in facts

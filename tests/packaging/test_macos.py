"""The application for macOS: its properties, and the commands that sign, notarise and pack it."""

import os
import plistlib
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import make
import pytest
from kinds import macos_dmg
from macos import properties, signing
from macos.signing import Certificate, Notary, Signing
from project import read_project
from recipe import BuildFailed

from tests.systems import posix_only

posix = posix_only("a script as the program")

IDENTITY = "Developer ID Application: Somebody (ABCDE12345)"
NOTARY = Notary("-----BEGIN PRIVATE KEY-----", "KEY", "ISSUER")


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An application as PyInstaller lays it out, with stand-ins for programs and libraries."""
    app = tmp_path / "Dragoman.app"
    code = bytes.fromhex("cffaedfe") + b"code"
    files = {
        "MacOS/dragoman": code,
        "Frameworks/Python.framework/Versions/3.13/Python": code,
        "Frameworks/PySide6/QtCore.abi3.so": bytes.fromhex("cafebabe") + b"code for two architectures",
        "Frameworks/libssl.3.dylib": code,
        "Resources/app.icns": b"icns",
        "Resources/short": b"no",
        "Info.plist": b"<plist/>",
    }
    for name, content in files.items():
        path = app / "Contents" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (app / "Contents" / "Resources" / "libssl.3.dylib").symlink_to("../Frameworks/libssl.3.dylib")
    (app / "Contents" / "Frameworks" / "Python.framework" / "Versions" / "Current").symlink_to("3.13")
    (app / "Contents" / "Resources" / "Python.framework").symlink_to("../Frameworks/Python.framework")
    return app


def test_the_properties_make_a_menu_bar_application(tmp_path: Path) -> None:
    path = tmp_path / "Info.plist"
    path.write_bytes(plistlib.dumps(properties.describe_app(read_project(), "14.0")))
    read = plistlib.loads(path.read_bytes())
    project = read_project()
    assert read["LSUIElement"] is True
    assert read["LSBackgroundOnly"] is False
    assert read["NSHighResolutionCapable"] is True
    assert read["CFBundleIdentifier"] == project.app_id
    assert read["CFBundleName"] == read["CFBundleDisplayName"] == "Dragoman"
    assert read["CFBundleShortVersionString"] == read["CFBundleVersion"] == project.version
    assert read["LSMinimumSystemVersion"] == "14.0"


@pytest.mark.parametrize(
    ("version", "numbers"), [("1.2.0", "1.2.0"), ("1.2.0rc1", "1.2.0"), ("2.0.dev3", "2.0"), ("1.2.3.4", "1.2.3")]
)
def test_macos_gets_the_numbers_of_a_version(version: str, numbers: str) -> None:
    assert properties.numeric_version(version) == numbers


def test_the_minimum_system_is_the_latest_that_any_part_needs() -> None:
    wheels = [
        "Wheel-Version: 1.0\nTag: cp310-abi3-macosx_13_0_universal2\n",
        "Tag: cp313-cp313-macosx_10_13_x86_64\nTag: cp313-cp313-macosx_15_0_arm64\n",  # one for two systems
        "Tag: py3-none-any\n",
    ]
    assert properties.latest_system(wheels, "10.15") == "13.0"
    assert properties.latest_system(wheels, "14") == "14.0"
    assert properties.latest_system([], "11.0") == "11.0"
    with pytest.raises(ValueError, match="neither the interpreter nor any package"):
        properties.latest_system(["Tag: py3-none-any\n"], None)


def test_entitlements_are_readable_and_few() -> None:
    assert plistlib.loads(signing.ENTITLEMENTS.read_bytes()) == {
        "com.apple.security.cs.allow-unsigned-executable-memory": True
    }


def test_an_application_is_signed_inside_out(app: Path) -> None:
    frameworks = app / "Contents" / "Frameworks"
    hardened = ["codesign", "--force", "--sign", IDENTITY, "--timestamp", "--options", "runtime"]
    assert signing.app_commands(app, Signing(IDENTITY)) == [
        [*hardened, str(frameworks / "Python.framework" / "Versions" / "3.13" / "Python")],
        [*hardened, str(frameworks / "PySide6" / "QtCore.abi3.so")],
        [*hardened, str(frameworks / "libssl.3.dylib")],
        [*hardened, str(frameworks / "Python.framework")],
        [*hardened, "--entitlements", str(signing.ENTITLEMENTS), str(app)],
        ["codesign", "--verify", "--deep", "--strict", "--verbose=2", str(app)],
    ]


def test_without_an_identity_it_is_signed_ad_hoc(app: Path) -> None:
    *_, own, _ = signing.app_commands(app, signing.read_signing({}))
    assert own == ["codesign", "--force", "--sign", "-", str(app)]


def test_notarisation_sends_a_zip_and_staples_the_ticket() -> None:
    key, app = Path("/keys/key.p8"), Path("/build/Dragoman.app")
    account = ["--key", "/keys/key.p8", "--key-id", "KEY", "--issuer", "ISSUER"]
    assert signing.zip_command(app, Path("/tmp/app.zip")) == [
        *["ditto", "-c", "-k", "--keepParent", "/build/Dragoman.app", "/tmp/app.zip"]
    ]
    assert signing.submit_command(Path("/tmp/app.zip"), NOTARY, key) == [
        *["xcrun", "notarytool", "submit", *account, "--wait", "--output-format", "json", "/tmp/app.zip"]
    ]
    assert signing.log_command("1-2-3", NOTARY, key) == ["xcrun", "notarytool", "log", *account, "1-2-3"]
    assert signing.staple_command(app) == ["xcrun", "stapler", "staple", "/build/Dragoman.app"]


def test_a_certificate_is_held_in_a_keychain_of_its_own() -> None:
    keychain, certificate = Path("/t/signing.keychain-db"), Path("/t/certificate.p12")
    assert signing.keychain_commands(keychain, "made-up", certificate, "word", ["/login.keychain-db"]) == [
        ["security", "create-keychain", "-p", "made-up", "/t/signing.keychain-db"],
        ["security", "set-keychain-settings", "-l", "-u", "-t", "21600", "/t/signing.keychain-db"],
        ["security", "unlock-keychain", "-p", "made-up", "/t/signing.keychain-db"],
        [
            *["security", "import", "/t/certificate.p12", "-k", "/t/signing.keychain-db"],
            *["-f", "pkcs12", "-P", "word", "-T", "/usr/bin/codesign"],
        ],
        [
            *["security", "set-key-partition-list", "-S", "apple-tool:,apple:", "-s", "-k", "made-up"],
            "/t/signing.keychain-db",
        ],
        ["security", "list-keychains", "-d", "user", "-s", "/t/signing.keychain-db", "/login.keychain-db"],
    ]


def test_the_variables_are_read() -> None:
    environment = {
        "MACOS_SIGNING_IDENTITY": IDENTITY,
        "MACOS_CERTIFICATE": "cDEy",
        "MACOS_CERTIFICATE_PASSWORD": "word",
        "MACOS_NOTARY_KEY": NOTARY.key,
        "MACOS_NOTARY_KEY_ID": NOTARY.key_id,
        "MACOS_NOTARY_ISSUER": NOTARY.issuer,
    }
    assert signing.read_signing(environment) == Signing(IDENTITY, Certificate("cDEy", "word"), NOTARY)
    assert signing.read_signing({"MACOS_SIGNING_IDENTITY": IDENTITY}) == Signing(IDENTITY)
    assert signing.read_signing(dict.fromkeys(environment, "")) == Signing()  # a repository without secrets


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        (
            {"MACOS_SIGNING_IDENTITY": "x", "MACOS_NOTARY_KEY": "x"},
            "set MACOS_NOTARY_KEY_ID, MACOS_NOTARY_ISSUER as well",
        ),
        ({"MACOS_SIGNING_IDENTITY": "x", "MACOS_CERTIFICATE": "x"}, "set MACOS_CERTIFICATE_PASSWORD as well"),
        (
            {"MACOS_CERTIFICATE": "x", "MACOS_CERTIFICATE_PASSWORD": "x"},
            "MACOS_CERTIFICATE is set without MACOS_SIGNING_IDENTITY",
        ),
    ],
)
def test_variables_that_belong_together_are_asked_for(environment: dict[str, str], told: str) -> None:
    with pytest.raises(BuildFailed, match=told):
        signing.read_signing(environment)


Tools = Callable[[str], None]


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    """Put a script in the place of Apple's tools on PATH. It notes its first words in `calls`."""
    if os.name != "posix":
        pytest.skip("a shell script stands for Apple's tools")
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)

    def install(script: str) -> None:
        for name in ("codesign", "ditto", "security", "xcrun"):
            (folder / name).write_text(f'#!/bin/sh\necho "{name} $1 $2" >> {tmp_path}/calls\n{script}\n')
            (folder / name).chmod(0o755)

    return install


@posix
@pytest.mark.parametrize("status", ["Accepted", "Invalid"])
def test_apples_answer_decides(app: Path, tmp_path: Path, tools: Tools, status: str) -> None:
    # Apple's tool succeeds when Apple has answered, whatever the answer.
    answer = f'{{"id": "1-2-3", "status": "{status}"}}'
    tools(f"case $2 in submit) echo '{answer}';; log) echo 'unsigned: libssl';; esac")
    if status == "Accepted":
        signing.sign_app(app, Signing(IDENTITY, notary=NOTARY))
        last = ["ditto -c -k", "xcrun notarytool submit", "xcrun stapler staple"]
    else:
        with pytest.raises(BuildFailed, match=r"did not notarise app\.zip: Invalid\nunsigned: libssl"):
            signing.sign_app(app, Signing(IDENTITY, notary=NOTARY))
        last = ["ditto -c -k", "xcrun notarytool submit", "xcrun notarytool log"]
    assert (tmp_path / "calls").read_text().splitlines()[-3:] == last


@posix
def test_the_keychain_goes_after_a_failure(app: Path, tmp_path: Path, tools: Tools) -> None:
    tools("test $1 != --force")
    with pytest.raises(BuildFailed, match="`codesign --force` failed"):
        signing.sign_app(app, Signing(IDENTITY, Certificate("cDEy", "word")))
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [line.split()[1] for line in calls if line.startswith("security")] == [
        *["list-keychains", "create-keychain", "set-keychain-settings", "unlock-keychain", "import"],
        *["set-key-partition-list", "list-keychains", "delete-keychain"],
    ]


@posix
def test_a_failure_keeps_secrets_to_itself(tools: Tools) -> None:
    tools("echo no such keychain >&2; exit 3")
    with pytest.raises(BuildFailed, match="`security import` failed") as failure:
        signing.run(["security", "import", "certificate.p12", "-P", "the-password"])
    assert "no such keychain" in str(failure.value)
    assert "the-password" not in str(failure.value)


@posix
def test_an_unsigned_application_comes_with_the_way_to_open_it(
    app: Path, tools: Tools, capsys: pytest.CaptureFixture[str]
) -> None:
    tools("")
    signing.sign_app(app, Signing())
    told = capsys.readouterr().err
    assert "Dragoman.app is not notarised, because MACOS_SIGNING_IDENTITY is not set" in told
    assert "Privacy & Security, Open Anyway" in told
    assert "xattr -dr com.apple.quarantine /Applications/Dragoman.app" in told


def test_the_image_shows_the_application_beside_applications(app: Path) -> None:
    assert macos_dmg.image_command(app, "Dragoman", Path("/dist/dragoman.dmg")) == [
        *[sys.executable, "-m", "dmgbuild", "--settings", str(macos_dmg.SETTINGS), "-D", f"app={app}"],
        *["Dragoman", "/dist/dragoman.dmg"],
    ]
    settings = runpy.run_path(str(macos_dmg.SETTINGS), {"defines": {"app": str(app)}})
    assert settings["files"] == [str(app)]
    assert settings["symlinks"] == {"Applications": "/Applications"}
    assert set(settings["icon_locations"]) == {"Dragoman.app", "Applications"}
    assert Path(settings["icon"]).is_file()


def test_an_image_is_mounted_and_assessed_by_the_systems_tools() -> None:
    image = Path("/dist/dragoman.dmg")
    assert macos_dmg.attach_command(image, Path("/mnt")) == [
        *["hdiutil", "attach", "-nobrowse", "-readonly", "-mountpoint", "/mnt", "/dist/dragoman.dmg"]
    ]
    assert macos_dmg.assess_command(image) == [
        *["spctl", "--assess", "--type", "open", "--context", "context:primary-signature", "/dist/dragoman.dmg"]
    ]


@pytest.mark.skipif(sys.platform == "darwin", reason="other systems are told")
@pytest.mark.parametrize("name", ["macos-app", "macos-dmg"])
def test_other_systems_are_told_in_one_sentence(name: str) -> None:
    with pytest.raises(BuildFailed, match=r"^macos-app cannot be built here: .* are built on macOS alone$"):
        make.choose_kinds([name], make.list_kinds())

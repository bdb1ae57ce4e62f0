"""Signing and notarisation of what is built for macOS, by variables of the environment.

Without them, programs are signed ad hoc: they run where they were built, and elsewhere once the user has allowed them.
"""

import json
import os
import secrets
import subprocess
import tempfile
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from recipe import BuildFailed, report

ENTITLEMENTS = Path(__file__).with_name("entitlements.plist")
MACH_O = frozenset(
    bytes.fromhex(word) for word in ("feedface", "feedfacf", "cefaedfe", "cffaedfe", "cafebabe", "cafebabf")
)
"""First bytes of programs and libraries: for 32 and 64 bits, in both byte orders, and for several architectures."""
IDENTITY = "MACOS_SIGNING_IDENTITY"
CERTIFICATE = ("MACOS_CERTIFICATE", "MACOS_CERTIFICATE_PASSWORD")
NOTARY = ("MACOS_NOTARY_KEY", "MACOS_NOTARY_KEY_ID", "MACOS_NOTARY_ISSUER")
UNSIGNED = (
    "not notarised, because {variable} is not set. macOS refuses to open it at first: then choose System Settings, "
    "Privacy & Security, Open Anyway; or run `xattr -dr com.apple.quarantine /Applications/{app}`"
)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A signing certificate with its key: a PKCS #12 file in base64, and its password."""

    data: str
    password: str


@dataclass(frozen=True, slots=True)
class Notary:
    """A key of App Store Connect's API: the text of its .p8 file, its id, and its issuer's id."""

    key: str
    key_id: str
    issuer: str


@dataclass(frozen=True, slots=True)
class Signing:
    """How to sign. Without an identity ad hoc; without a certificate by the user's own keychain."""

    identity: str | None = None
    certificate: Certificate | None = None
    notary: Notary | None = None


def read_signing(environment: Mapping[str, str]) -> Signing:
    """Read the variables; empty ones count as unset, as GitHub passes missing secrets. Raises BuildFailed."""
    identity = environment.get(IDENTITY) or None
    groups = {names: [environment.get(name, "") for name in names] for names in (CERTIFICATE, NOTARY)}
    for names, values in groups.items():
        unset = [name for name, value in zip(names, values, strict=True) if not value]
        if unset and len(unset) < len(names):
            raise BuildFailed(f"{', '.join(names)} belong together: set {', '.join(unset)} as well, or none of them")
        if not unset and identity is None:
            raise BuildFailed(f"{names[0]} is set without {IDENTITY}: set it to the name of the certificate")
    certificate, notary = groups[CERTIFICATE], groups[NOTARY]
    return Signing(
        identity,
        Certificate(*certificate) if all(certificate) else None,
        Notary(*notary) if all(notary) else None,
    )


def list_code(app: Path) -> list[Path]:
    """Everything in an application that has a signature of its own, from the inside out, without the application."""
    files = [path for path in app.rglob("*") if path.is_file() and not path.is_symlink() and _is_code(path)]
    # The program itself is signed with the application.
    libraries = [path for path in files if path.parent != app / "Contents" / "MacOS"]
    frameworks = [path for path in app.rglob("*.framework") if path.is_dir() and not path.is_symlink()]
    return [*_deepest_first(libraries), *_deepest_first(frameworks)]


def _is_code(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in MACH_O


def _deepest_first(paths: Sequence[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: (-len(path.parts), path))


def signing_command(path: Path, signing: Signing, entitlements: Path | None = None) -> list[str]:
    """The command that signs one file, framework, application or image, replacing a signature that it has."""
    command = ["codesign", "--force", "--sign", signing.identity or "-"]
    if signing.identity:
        # Notarisation asks for the hardened runtime and a time from Apple. An ad-hoc signature names no team, so that
        # the hardened runtime would refuse to load the application's own libraries.
        command += ["--timestamp", "--options", "runtime"]
        if entitlements:
            command += ["--entitlements", str(entitlements)]
    return [*command, str(path)]


def app_commands(app: Path, signing: Signing) -> list[list[str]]:
    """The commands that sign an application inside out, and the one that proves it."""
    inner = [signing_command(path, signing) for path in list_code(app)]
    return [*inner, signing_command(app, signing, ENTITLEMENTS), verify_command(app)]


def verify_command(app: Path) -> list[str]:
    """The command that checks all signatures of an application."""
    return ["codesign", "--verify", "--deep", "--strict", "--verbose=2", str(app)]


def submit_command(path: Path, notary: Notary, key: Path) -> list[str]:
    """The command that has Apple check a zip or image, and waits for the result. `key` is the file of the key."""
    return [*_notarytool("submit", notary, key), "--wait", "--output-format", "json", str(path)]


def log_command(submission: str, notary: Notary, key: Path) -> list[str]:
    """The command that prints what Apple found in a submission."""
    return [*_notarytool("log", notary, key), submission]


def _notarytool(verb: str, notary: Notary, key: Path) -> list[str]:
    return ["xcrun", "notarytool", verb, "--key", str(key), "--key-id", notary.key_id, "--issuer", notary.issuer]


def staple_command(path: Path) -> list[str]:
    """The command that attaches Apple's ticket, so that the first start needs no network."""
    return ["xcrun", "stapler", "staple", str(path)]


def zip_command(app: Path, archive: Path) -> list[str]:
    """The command that packs an application for Apple, with its links and signatures."""
    return ["ditto", "-c", "-k", "--keepParent", str(app), str(archive)]


def keychain_commands(
    keychain: Path, password: str, certificate: Path, certificate_password: str, others: Sequence[str]
) -> list[list[str]]:
    """The commands that make a keychain which holds the certificate and which codesign may use without asking.

    `others` are the keychains that are searched already.
    """
    path = str(keychain)
    options = ["-f", "pkcs12", "-P", certificate_password, "-T", "/usr/bin/codesign"]
    return [
        ["security", "create-keychain", "-p", password, path],
        ["security", "set-keychain-settings", "-l", "-u", "-t", "21600", path],
        ["security", "unlock-keychain", "-p", password, path],
        ["security", "import", str(certificate), "-k", path, *options],
        ["security", "set-key-partition-list", "-S", "apple-tool:,apple:", "-s", "-k", password, path],
        ["security", "list-keychains", "-d", "user", "-s", path, *others],
    ]


def sign_app(app: Path, signing: Signing) -> None:
    """Sign an application, and have it notarised if the variables say so. Raises BuildFailed."""
    with _identity_at_hand(signing):
        for command in app_commands(app, signing):
            run(command)
    if signing.notary is None:
        report(f"{app.name} is {UNSIGNED.format(variable=NOTARY[0] if signing.identity else IDENTITY, app=app.name)}")
        return
    with tempfile.TemporaryDirectory() as directory:
        archive = Path(directory) / "app.zip"
        run(zip_command(app, archive))
        _notarise(archive, signing.notary)
    run(staple_command(app))


def sign_image(image: Path, signing: Signing) -> None:
    """Sign a disk image, and have it notarised if the variables say so. Raises BuildFailed."""
    if signing.identity is None:
        return  # an ad-hoc signature of an image says nothing
    with _identity_at_hand(signing):
        run(signing_command(image, signing))
    if signing.notary is not None:
        _notarise(image, signing.notary)
        run(staple_command(image))


def _notarise(path: Path, notary: Notary) -> None:
    with tempfile.TemporaryDirectory() as directory:
        key = Path(directory) / "key.p8"
        key.touch(mode=0o600)
        key.write_text(notary.key, encoding="utf-8")
        answer = json.loads(run(submit_command(path, notary, key)))
        # The command succeeds when Apple has answered, whatever the answer.
        if answer.get("status") != "Accepted":
            findings = run(log_command(str(answer.get("id")), notary, key))
            raise BuildFailed(f"Apple did not notarise {path.name}: {answer.get('status')}\n{findings}")


@contextmanager
def _identity_at_hand(signing: Signing) -> Iterator[None]:
    """Hold the certificate in a keychain of its own for the `with` block."""
    if signing.certificate is None:
        yield
        return
    listed = run(["security", "list-keychains", "-d", "user"])
    others = [line.strip().strip('"') for line in listed.splitlines() if line.strip()]
    with tempfile.TemporaryDirectory() as directory:
        keychain, certificate = Path(directory) / "signing.keychain-db", Path(directory) / "certificate.p12"
        certificate.touch(mode=0o600)
        certificate.write_bytes(b64decode(signing.certificate.data))
        password = secrets.token_urlsafe(24)
        try:
            for command in keychain_commands(keychain, password, certificate, signing.certificate.password, others):
                run(command)
            yield
        finally:
            # Also takes it out of the list of keychains that are searched.
            subprocess.run(["security", "delete-keychain", str(keychain)], capture_output=True)


def run(command: Sequence[str]) -> str:
    """Run a tool and return its output. Raises BuildFailed, without the arguments: some are secret."""
    ran = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"LC_ALL": "C"})
    if ran.returncode:
        raise BuildFailed(f"`{' '.join(command[:2])}` failed ({ran.returncode}):\n{ran.stdout}{ran.stderr}")
    return ran.stdout

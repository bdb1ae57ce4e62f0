"""The smoke test: it passes on this checkout's program, and fails on programs whose server is dead."""

import sys
from pathlib import Path

import pytest
import smoke
from project import read_project

from tests.systems import posix_only

HALF_DEAD = f"""#!/bin/sh
case "$1" in
    --version) echo "dragoman {read_project().version}" ;;
    key) echo "a-key-of-more-than-twenty-letters" ;;
    doctor) echo "database: ok" ;;
    *) echo "the migrations are missing" >&2; exit 1 ;;
esac
"""


@pytest.mark.screen
def test_the_program_of_this_checkout_passes(cli_path: Path) -> None:
    smoke.run_smoke_test([sys.executable, "-m", "dragoman"])


@posix_only("a script as the program")
def test_a_program_whose_commands_work_and_whose_server_does_not_fails(cli_path: Path, tmp_path: Path) -> None:
    program = tmp_path / "dragoman"
    program.write_text(HALF_DEAD)
    program.chmod(0o755)
    with pytest.raises(smoke.SmokeFailed, match=r"serve --port 0 has ended with 1(?s:.*)the migrations are missing"):
        smoke.run_smoke_test([str(program)], window=False)

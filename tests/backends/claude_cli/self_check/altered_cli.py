"""The real CLI behind a program that changes some of its lines, arguments or variables: an older or a wrong one."""

import sys
from pathlib import Path

PROGRAM = '''
import json, os, subprocess, sys, threading

arguments, environment = sys.argv[1:], dict(os.environ)
writing = threading.Lock()
state = {"failed": False}

def heard(line):
    """The lines that the CLI gets instead of the host's."""
    return [line]

def said(line):
    """The lines that the host gets instead of the CLI's."""
    return [line]

def answer(line, **payload):
    """Answer the host's control request in place of the CLI."""
    tell({"type": "control_response", "response": {"subtype": "success", "response": payload, **id_of(line)}})

def refuse(line, error, **more):
    tell({"type": "control_response", "response": {"subtype": "error", "error": error, **id_of(line), **more}})

def id_of(line):
    return {"request_id": line["request_id"]}

def subtype(line):
    return line.get("request", {}).get("subtype")

def tell(line):
    with writing:
        sys.stdout.write(json.dumps(line) + "\\n")
        sys.stdout.flush()

ALTERATIONS

process = subprocess.Popen(
    [REAL, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True, encoding="utf-8"
)

def pass_on():
    for text in sys.stdin:
        for line in heard(json.loads(text)):
            process.stdin.write(json.dumps(line) + "\\n")
            process.stdin.flush()
    process.stdin.close()

threading.Thread(target=pass_on, daemon=True).start()
for text in process.stdout:
    line = json.loads(text)
    if line.get("type") == "result":
        state["failed"] = bool(line.get("is_error"))
    for one in said(line):
        tell(one)
os._exit(process.wait())
'''


def write_altered_cli(folder: Path, real: Path, alterations: str) -> Path:
    """Write the program. `alterations` are lines of Python, which may replace `heard` and `said`."""
    program = folder / "claude"
    lines = PROGRAM.replace("ALTERATIONS", alterations).replace("REAL", repr(str(real)))
    program.write_text(f"#!{sys.executable} -IS\n{lines}")
    program.chmod(0o755)
    return program

"""Run a command in the project's own environment, which is created on first use.

    python3 scripts/with_env.py kexport build --model lowpass
    python3 scripts/with_env.py pytest

Needs Python and nothing else. The environment is in `.venv`, or in the folder that KEXPORT_VENV names. It is updated
when setup.cfg or scripts/constraints.txt changes. With KEXPORT_NEWEST=1 it gets the newest versions that setup.cfg
allows in place of the tested ones. Before tests it also installs a Chromium where there is none (`browser.py`).
"""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

import browser

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "scripts" / "constraints.txt"
VENV = Path(os.environ.get("KEXPORT_VENV", ROOT / ".venv"))
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
MARK = VENV / "installed-for"
TESTS = ("pytest", "coverage")  # the commands that run them


def main() -> int:
    """Set the environment up if need be, then run the command in it and return its exit code."""
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    newest = os.environ.get("KEXPORT_NEWEST", "") not in ("", "0")
    versions = ["--upgrade", "--upgrade-strategy", "eager"] if newest else ["-c", str(CONSTRAINTS)]
    stated = (ROOT / "setup.cfg").read_bytes() + (b"newest" if newest else CONSTRAINTS.read_bytes())
    wanted = hashlib.sha256(stated).hexdigest()
    if not MARK.exists() or MARK.read_text() != wanted:
        print(f"setting up {VENV} (once, about two minutes)", file=sys.stderr, flush=True)
        if not BIN.exists():
            venv.create(VENV, with_pip=True)
        # -q hides pip's notes on where it looks; its errors are still shown.
        pip = [str(BIN / "python"), "-m", "pip", "--disable-pip-version-check", "-q"]
        code = subprocess.call([*pip, "install", *versions, "-e", f"{ROOT}[dev]"])
        if code:
            print("the environment could not be set up: see pip's message above", file=sys.stderr)
            return code
        MARK.write_text(wanted)
    if sys.argv[1] in TESTS:
        browser.provide(str(BIN / "python"))
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path, "VIRTUAL_ENV": str(VENV), "ORT_DISABLE_TELEMETRY": "1"}
    command = BIN / sys.argv[1]
    program = str(command) if command.exists() else sys.argv[1]
    return subprocess.call([program, *sys.argv[2:]], cwd=ROOT, env=environment)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

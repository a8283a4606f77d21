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
import time
import venv
from pathlib import Path

import browser

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "scripts" / "constraints.txt"
VENV = Path(os.environ.get("KEXPORT_VENV", ROOT / ".venv"))
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
MARK = VENV / "installed-for"
TESTS = ("pytest", "coverage")  # the commands that run them


def set_up(versions: list[str]) -> int:
    """Create or update the environment, and say what is being done; returns pip's exit code.

    Args:
        versions: pip's options on the versions to take.
    """
    began = time.monotonic()
    if not BIN.exists():
        print(f"setting up {VENV}, once: creating it", file=sys.stderr, flush=True)
        venv.create(VENV, with_pip=True)
    print(f"installing kexport and all that it tests with in {VENV}: about two minutes", file=sys.stderr, flush=True)
    pip = [str(BIN / "python"), "-m", "pip", "--disable-pip-version-check", "install"]
    if not sys.stderr.isatty():  # a terminal shows each package and its download; a log only what goes wrong
        pip.append("-q")
    code = subprocess.call([*pip, *versions, "-e", f"{ROOT}[dev]"], stdout=sys.stderr)
    if code:
        print("the environment could not be set up: see pip's message above", file=sys.stderr)
    else:
        print(f"{VENV} is ready after {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return code


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
        if code := set_up(versions):
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

"""The Chromium that tests and pictures of the page use: one that is here, or Debian's, or Playwright's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGE = "chromium-headless-shell"  # of Debian
NAMES = (PACKAGE, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = ("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",)
#: Where Playwright keeps what it downloads.
CACHES = (
    "$PLAYWRIGHT_BROWSERS_PATH", "$XDG_CACHE_HOME/ms-playwright", "~/.cache/ms-playwright",
    "~/Library/Caches/ms-playwright", "~/AppData/Local/ms-playwright",
)  # fmt: skip
MISSING = (
    "no Chromium was found; the tests of the page open it in one\n"
    f"  hint: apt-get install {PACKAGE}, or python -m playwright install chromium, or KEXPORT_BROWSER=/path/of/chrome"
)


def executable() -> str | None:
    """The path of a Chromium: KEXPORT_BROWSER, one on the PATH, or one that Playwright downloaded."""
    if given := os.environ.get("KEXPORT_BROWSER"):
        return given
    found = [path for name in NAMES if (path := shutil.which(name))]
    found += [place for place in PLACES if Path(place).exists()]
    for cache in (Path(os.path.expandvars(os.path.expanduser(each))) for each in CACHES):
        if cache.is_dir():
            found += map(str, sorted(cache.glob("chromium*/*/*headless*shell*")))
            found += map(str, sorted(cache.glob("chromium*/*/chrome*")))
    return next((path for path in found if os.access(path, os.X_OK) and Path(path).is_file()), None)


def provide(python: str) -> None:
    """Install a Chromium if there is none: Debian's as root with apt-get, else Playwright's own; says what it does.

    Where neither can be had, the tests that need it fail, and say how to get one.

    Args:
        python: the interpreter of an environment with Playwright.
    """
    if executable() is not None:
        return
    commands = [[python, "-m", "playwright", "install", "--only-shell", "chromium"]]
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", PACKAGE]
        commands = [["apt-get", "update", "-q"], install, *commands]
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in commands:
        if executable() is None:
            print(f"setting up a Chromium for the tests of the page: {' '.join(command)}", file=sys.stderr, flush=True)
            subprocess.run(command, env=quiet, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)

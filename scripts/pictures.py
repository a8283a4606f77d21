"""Draw what `kexport report` shows of a bundle: the terminal as SVG, and the page as PNG, light.

    kexport build lowpass --set kernel_size=31 --set cutoff=40 --set sample_rate=360 --precision float16 --out ecg
    python3 scripts/with_env.py python scripts/pictures.py ecg docs

The terminal is a real one, of 100 columns; the page is opened in the Chromium that the tests use.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.text import Text

import browser

COLUMNS = 100
WIDTH, HEIGHT = 1024, 1340  # of the picture of the page, in CSS pixels


def on_a_terminal(command: list[str], columns: int = COLUMNS) -> str:
    """What a command writes to a terminal of that many columns, with its colours."""
    import pty

    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    content = b""
    with contextlib.suppress(OSError):  # the end, on Linux
        while part := os.read(ours, 1 << 16):
            content += part
    os.close(ours)
    if process.wait():
        sys.exit(content.decode(errors="replace"))
    return content.decode().replace("\r\n", "\n")


def terminal_picture(shown: str, command: str) -> str:
    """Lines with their colours as SVG, which loads no font from the network."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        console.print(Text.assemble(("$ ", "dim"), (command, "bold")))
        console.print(Text.from_ansi(shown.rstrip("\n")))
        svg = console.export_svg(title=command, unique_id="kexport")
    return re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)


def page_picture(page: Path, target: Path) -> None:
    """The top of a page as PNG."""
    path = browser.executable()
    if path is None:
        sys.exit(browser.MISSING)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path)
        shown = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        shown.goto(page.resolve().as_uri())
        shown.screenshot(path=target)
        chromium.close()


def main() -> None:
    """Draw both."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("bundle", help="the folder of a bundle")
    parser.add_argument("folder", type=Path, help="where to write terminal.svg and page.png")
    given = parser.parse_args()
    report = [sys.executable, "-m", "kexport", "report", given.bundle]
    shown = on_a_terminal(report)
    text = terminal_picture(shown, f"kexport report {given.bundle}")
    (given.folder / "terminal.svg").write_text(text, encoding="utf-8")
    with tempfile.TemporaryDirectory() as temporary:
        page = Path(temporary) / "page.html"
        subprocess.run([*report, "--html", str(page)], check=True, stdout=subprocess.DEVNULL)
        page_picture(page, given.folder / "page.png")


if __name__ == "__main__":
    main()

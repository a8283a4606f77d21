"""The pictures of README: what the script draws of a bundle."""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree

from conftest import REFERENCE, ROOT

COMMAND = [sys.executable, ROOT / "scripts" / "pictures.py"]


def test_the_terminal_and_the_page_are_drawn(tmp_path):
    bundle = REFERENCE / "lowpass"
    done = subprocess.run([*COMMAND, bundle, tmp_path], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    svg = (tmp_path / "terminal.svg").read_text()
    text = "".join(ElementTree.fromstring(svg).itertext()).replace("\u00a0", " ")
    assert "model.onnx" in text
    assert "lowpass: 15 checks passed" in text
    assert "@font-face" not in svg  # it would come from the network
    assert "#98a84b" in svg  # its green
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")


def test_a_command_that_fails_is_told(tmp_path):
    done = subprocess.run([*COMMAND, tmp_path / "none", tmp_path], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "is not a bundle" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_pictures_of_readme_are_there_and_small():
    text = (ROOT / "README.md").read_text()
    for name in ("terminal.svg", "page.png"):
        assert f"(docs/{name})" in text
        assert (ROOT / "docs" / name).stat().st_size < 300_000
    assert "@font-face" not in (ROOT / "docs" / "terminal.svg").read_text()

import importlib.metadata
import linecache
import sys

import click
import pytest

from conftest import ROOT
from kexport.bundle.code_entry import CodeKind
from kexport.field.code_origin import CodeOrigin, differences, entry_of
from kexport.user_code import run_file

SOURCE = "class Tab:\n    def call(self, x):\n        return x * 2\n\n\ndef act(x):\n    return x\n"


@pytest.fixture
def module(tmp_path):
    """`module(text)`: the text as a file `tab.py` that has run; each in a folder of its own."""

    def run(text, newline="\n"):
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        (folder / "tab.py").write_text(text, newline=newline)
        return run_file(folder / "tab.py")

    yield run
    for name in [name for name in sys.modules if name.startswith("kexport_import_tab")]:
        del sys.modules[name]


def recorded(*registered):
    return [entry_of(f"lab>{each.__name__}", CodeKind.CLASS, each) for each in registered]


def changes(entries, *registered):
    return list(differences(entries, {f"lab>{each.__name__}": each for each in registered}))


def test_the_record_of_a_file_has_its_name_and_no_path(module, tmp_path):
    (entry,) = recorded(module(SOURCE).Tab)
    assert (entry.file, entry.module, entry.digest_of, entry.distribution) == ("tab.py", "", "file", "")
    assert str(tmp_path) not in str(entry.to_json())


def test_line_ends_and_the_place_of_a_file_do_not_count(module):
    first = module(SOURCE)
    entries = recorded(first.Tab, first.act)
    assert entries[0].sha256 == entries[1].sha256 != ""
    assert changes(entries, first.Tab, first.act) == []
    again = module(SOURCE, newline="\r\n")
    assert changes(entries, again.Tab, again.act) == []


def test_other_code_is_named_once_for_all_that_it_defines(module):
    first = module(SOURCE)
    other = module(SOURCE.replace("* 2", "* 3"))
    (line,) = changes(recorded(first.Tab, first.act), other.Tab, other.act)
    assert line == "the code in tab.py is not what the bundle was built with: lab>Tab, lab>act"


def test_the_code_of_a_notebook_is_recognised_when_it_is_moved_to_a_file(module):
    cell = "<cell 1>"
    linecache.cache[cell] = (len(SOURCE), None, SOURCE.splitlines(keepends=True), cell)  # as a notebook does
    names = {"__name__": "a_notebook"}
    exec(compile(SOURCE, cell, "exec"), names)
    (entry,) = recorded(names["Tab"])
    assert (entry.file, entry.module, entry.digest_of) == ("", "", "source")
    text = SOURCE.replace("class", "import math\n\n\nclass", 1)
    assert changes([entry], module(text).Tab) == []
    assert len(changes([entry], module(text.replace("* 2", "* 3")).Tab)) == 1


def test_code_that_was_executed_from_a_text_has_neither_file_nor_digest():
    names = {}
    exec(SOURCE, names)
    (entry,) = recorded(names["Tab"])
    assert (entry.file, entry.module, entry.sha256) == ("", "", "")


def test_an_installed_package_is_recorded_by_its_version(monkeypatch):
    (entry,) = recorded(click.Command)
    version = importlib.metadata.version("click")
    assert (entry.module, entry.distribution, entry.version, entry.sha256) == ("click.core", "click", version, "")
    assert changes([entry], click.Command) == []
    monkeypatch.setattr(importlib.metadata.Distribution, "version", "0.0.1")
    (line,) = changes([entry], click.Command)
    assert line == f"click 0.0.1 is not what the bundle was built with, click {version}: lab>Command"


def test_a_package_that_is_not_installed_is_recorded_by_module_and_file(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    import contract_cases.layers.scaled_output as cases

    function = next(each for each in vars(cases).values() if getattr(each, "__module__", "") == cases.__name__)
    origin = CodeOrigin.of(function)
    assert (origin.importable, origin.path.name) == ("contract_cases.layers.scaled_output", "scaled_output.py")

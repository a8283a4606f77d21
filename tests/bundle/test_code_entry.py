import json
import shutil

import pytest

from conftest import REFERENCE
from kexport.bundle import manifest
from kexport.bundle.code_entry import CodeEntry, CodeKind, described, import_options
from kexport.errors import BundleError

TAB = CodeEntry("lab>Tab", CodeKind.LAYER, "tab.py", "tab", sha256="12", digest_of="file")
ACT = CodeEntry("lab>act", CodeKind.FUNCTION, "tab.py", "tab", sha256="12", digest_of="file")
OTHER = CodeEntry("lab>Other", CodeKind.LAYER, "tab.py", "", sha256="34", digest_of="file")
GATE = CodeEntry("lab>Gate", CodeKind.LAYER, "gates.py", "lab.gates", sha256="56", digest_of="file")
INSTALLED = CodeEntry("acme>Gate", CodeKind.LAYER, "gates.py", "acme", "acme-layers", "1.2")
NOTEBOOK = CodeEntry("nb>Tab", CodeKind.LAYER, obstacle="is defined in a notebook")
ALL = [TAB, ACT, OTHER, GATE, INSTALLED, NOTEBOOK]


def with_code(folder, code):
    shutil.copy(REFERENCE / "lowpass" / manifest.FILE_NAME, folder)
    path = folder / manifest.FILE_NAME
    path.write_text(json.dumps({**json.loads(path.read_text()), "code": code}))
    return manifest.read(folder)


def test_it_comes_back_from_json():
    assert [CodeEntry.from_json(json.loads(json.dumps(entry.to_json()))) for entry in ALL] == ALL


def test_a_manifest_keeps_it_and_one_without_code_has_no_such_key(tmp_path):
    kept = with_code(tmp_path, [entry.to_json() for entry in ALL])
    assert list(kept.code) == ALL
    assert kept.to_json()["code"] == [entry.to_json() for entry in ALL]
    assert "code" not in with_code(tmp_path, []).to_json()


def test_what_a_later_writer_adds_is_no_obstacle():
    entry = CodeEntry.from_json({"name": "lab>Tab", "kind": "optimizer", "file": "tab.py", "licence": "MIT"})
    assert (entry.name, entry.kind, entry.file) == ("lab>Tab", CodeKind.CLASS, "tab.py")


@pytest.mark.parametrize("file", ["/home/me/tab.py", "../tab.py", "code\\tab.py"])
def test_a_path_is_refused_where_the_name_of_a_file_belongs(tmp_path, file):
    with pytest.raises(BundleError, match="is a path"):
        with_code(tmp_path, [{**TAB.to_json(), "file": file}])


def test_what_one_place_defines_is_named_together():
    assert described([TAB, ACT]) == "lab>Tab and lab>act from tab.py"
    assert described([TAB, OTHER]) == "lab>Tab from tab.py, lab>Other from another file tab.py"
    assert described([GATE]) == "lab>Gate from the module lab.gates"
    assert described([INSTALLED]) == "acme>Gate from the module acme of acme-layers 1.2"
    assert described([NOTEBOOK]) == "nb>Tab"


def test_an_option_is_named_once_for_each_file_or_module_that_others_can_run():
    assert import_options([TAB, ACT]) == "--import tab.py"
    assert import_options([GATE, INSTALLED]) == "--import lab.gates --import acme"
    assert import_options([TAB, OTHER]) == "--import tab.py --import tab.py"
    assert import_options([NOTEBOOK]) == ""
    odd = CodeEntry("lab>Tab", CodeKind.LAYER, "my layers.py")
    assert import_options([odd]) == "--import 'my layers.py'"

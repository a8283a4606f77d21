"""A bundle with custom layers, in the hands of someone who has their code, has other code, or has none."""

import shutil
import sys
import zipfile

import keras
import numpy as np
import pytest

import kexport
from conftest import TAB
from kexport import runtimes
from kexport.bundle.folder import Bundle
from kexport.bundle.json_files import write_json
from kexport.bundle.report import CheckKind
from kexport.errors import FAILED, UNCHECKED, ImportFailedError, MissingCodeError, ModelError, UsageError
from kexport.field.remote import ArtifactSource, RemoteSession
from kexport.field.trust import NO_TRUST, Trust
from kexport.field.verification import Processes, Verification, verify_bundle
from kexport.parity.strictness import Strictness

X = np.ones((2, 4), "float32")


@pytest.fixture(autouse=True)
def forgotten():
    """What a test registers is forgotten again, and so are the files that it ran."""
    path = list(sys.path)
    yield
    sys.path[:] = path
    for name in [name for name in sys.modules if name.startswith("kexport_import_") or name == "tab_scale"]:
        del sys.modules[name]
    for name in [name for name in keras.saving.get_custom_objects() if name.startswith("lab>")]:
        del keras.saving.get_custom_objects()[name]


@pytest.fixture
def code(travelling, tmp_path):
    """`code(name, text)`: a file beside `tab_scale.py`; by default the one of the build."""
    shutil.copytree(travelling / "code", tmp_path / "code")

    def file(name="tab.py", text=None):
        if text is not None:
            (tmp_path / "code" / name).write_text(text)
        return str(tmp_path / "code" / name)

    return file


def verified(folder, *imports, names=("keras",), search=None):
    """The report of verifying the bundle in this process, where nothing is registered yet."""
    chosen = tuple(map(runtimes.get, names))
    here = Processes(in_process=frozenset(("keras", *names)))
    bundle, strictness = Bundle.open(folder), Strictness.of(search, {})
    return verify_bundle(Verification(bundle, chosen, Trust(imports), strictness, processes=here))


def told(report):
    """Every fact of the checks that did not pass, and the notes, in one text."""
    return "\n".join([check.detail for check in report.checks if not check.passed] + list(map(str, report.notes)))


def test_missing_code_is_no_failure_and_says_what_to_give(travelling):
    report = verified(travelling / "net", names=("onnxruntime", "keras"))
    assert report.exit_code == UNCHECKED
    (check,) = [check for check in report.checks if not check.passed]
    assert (check.kind, check.artifact, check.runtime, check.ran) == (CheckKind.RUNTIME, "model.keras", "keras", False)
    assert check.facts == ("model.keras needs lab>Tab and lab>act from tab.py", "give it with --import tab.py")
    assert any(check.compared for check in report.checks if check.runtime == "onnxruntime")


def test_with_the_code_every_check_passes_and_nothing_is_noted(travelling, code):
    report = verified(travelling / "net", code())
    assert report.passed, told(report)
    assert "built with" not in told(report)


def test_other_runtimes_need_no_code(travelling):
    assert verified(travelling / "net", names=("onnxruntime",)).passed
    assert kexport.load(travelling / "net", "onnxruntime").runtime == "onnxruntime"


def test_code_that_differs_is_a_note_and_the_check_goes_on(travelling, code):
    altered = code("tab.py", TAB.replace("tanh(x)", "tanh(x) * 1"))
    report = verified(travelling / "net", altered)
    assert report.passed, told(report)
    assert "the code in tab.py is not what the bundle was built with: lab>Tab, lab>act" in report.notes


def test_code_that_computes_something_else_fails(travelling, code):
    altered = code("tab.py", TAB.replace("x * SCALE", "x + SCALE"))
    report = verified(travelling / "net", altered)
    assert report.exit_code == FAILED
    assert "not what the bundle was built with" in told(report)


def test_a_file_that_registers_only_some_of_it_is_told_what_is_missing(travelling, code):
    text = TAB
    part = code("part.py", text[: text.rindex("@keras")])
    report = verified(travelling / "net", part)
    assert report.exit_code == UNCHECKED
    assert f"model.keras needs lab>act from tab.py, which {part} does not register" in told(report)


def test_code_that_raises_is_a_failure(travelling, code):
    with pytest.raises(ImportFailedError, match="ValueError: boom"):  # which is not the bundle's fault
        verified(travelling / "net", code("boom.py", "raise ValueError('boom')\n"))
    broken = TAB.replace("return x * SCALE", "raise ValueError('boom')")
    report = verified(travelling / "net", code("tab.py", broken))
    assert report.exit_code == FAILED
    assert "ValueError: boom" in told(report)


def test_code_that_needs_a_module_which_is_not_here_is_missing_code(travelling, code):
    report = verified(travelling / "net", code("needy.py", "import not_installed_anywhere\n"))
    assert report.exit_code == UNCHECKED
    assert "needs the module 'not_installed_anywhere', which is not here" in told(report)
    report = verified(travelling / "net", code("part.py", "from .tab import Tab\n"))
    assert report.exit_code == UNCHECKED
    assert "it belongs to a package: give the module, --import package.module" in told(report)


def test_a_file_that_is_not_there_is_a_wrong_request(travelling):
    with pytest.raises(UsageError, match="there is no such file"):
        verified(travelling / "net", "nowhere.py")
    with pytest.raises(UsageError, match="there is no such file"):
        kexport.load(travelling / "net", "onnxruntime", imports=["nowhere.py"])


def test_two_files_of_one_name_are_two_pieces_of_code(travelling, code, tmp_path):
    text = TAB
    where = text.rindex("@keras")
    first = code("tab.py", text[:where])
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "tab.py").write_text("import keras\n" + text[where:])
    assert verified(travelling / "net", first, str(tmp_path / "other" / "tab.py")).passed


def test_a_bundle_without_a_record_names_what_keras_recorded(travelling, tmp_path):
    folder = shutil.copytree(travelling / "net", tmp_path / "net")
    write_json(folder / "manifest.json", {**Bundle.open(folder).manifest.to_json(), "code": []})
    report = verified(folder)
    assert report.exit_code == UNCHECKED
    assert "model.keras needs lab>Tab from the module tab, lab>act" in told(report)
    assert "--import" in told(report)


def test_code_that_only_keras_misses_while_it_loads_is_missing_too(travelling, code):
    inner = "{'module': 'lab', 'class_name': 'Inner', 'config': {}, 'registered_name': 'lab>Inner'}"
    hidden = TAB.replace(
        "    def call",
        "    def __init__(self, **kwargs):\n"
        "        super().__init__(**kwargs)\n"
        f"        self.inner = keras.saving.deserialize_keras_object({inner})\n\n"
        "    def call",
    )
    report = verified(travelling / "net", code("tab.py", hidden))
    assert report.exit_code == UNCHECKED
    assert "'Inner'" in told(report)


def test_a_damaged_file_is_a_failure_with_and_without_code(travelling, tmp_path):
    folder = shutil.copytree(travelling / "net", tmp_path / "net")
    with zipfile.ZipFile(folder / "model.keras", "a") as file:
        file.writestr("more", "x")
    assert verified(folder).exit_code == FAILED
    (folder / "model.keras").write_bytes(b"damaged")
    with pytest.raises(ModelError, match="cannot be read") as damaged:
        NO_TRUST.load_model(folder / "model.keras")
    assert not isinstance(damaged.value, MissingCodeError)


def test_a_layer_that_this_keras_does_not_have_is_not_code_of_the_user(travelling, code, tmp_path):
    later = tmp_path / "later.keras"
    with zipfile.ZipFile(travelling / "net" / "model.keras") as old, zipfile.ZipFile(later, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'"class_name": "Dense"', b'"class_name": "LaterDense"'))
    with pytest.raises(ModelError, match="LaterDense") as refused:
        Trust((code(),)).load_model(later)
    assert not isinstance(refused.value, MissingCodeError)


def test_a_loaded_model_takes_code_and_warns_where_it_differs(travelling, code):
    with pytest.raises(MissingCodeError, match=r"lab>Tab and lab>act from tab\.py") as missing:
        kexport.load(travelling / "net", "keras")
    assert missing.value.exit_code == UNCHECKED
    assert kexport.load(travelling / "net", "keras", imports=[code()])(X).shape == (2, 3)


def test_a_loaded_model_warns_of_code_that_differs(travelling, code):
    altered = code("tab.py", TAB + "# altered\n")
    with pytest.warns(UserWarning, match="not what the bundle was built with"):
        kexport.load(travelling / "net", "keras", imports=[altered])


def test_a_search_does_without_a_runtime_whose_code_is_missing(travelling):
    report = verified(travelling / "net", names=("onnxruntime",), search="20")
    assert any("keras was left out of the search: model.keras needs" in str(note) for note in report.notes)
    assert all(check.passed for check in report.checks if check.kind is not CheckKind.SEARCH)
    assert report.exit_code == UNCHECKED
    report = verified(travelling / "net", names=("onnxruntime", "keras"), search="20")
    assert {check.runtime for check in report.checks if check.kind is CheckKind.SEARCH} == {"onnxruntime"}
    assert report.exit_code == UNCHECKED


def test_a_session_in_a_worker_needs_the_code_and_tells_where_it_differs(travelling, code, tmp_path):
    bundle, keras_runtime = Bundle.open(travelling / "net"), runtimes.get("keras")

    def session(*imports):
        trust = Trust(imports).expecting(bundle.manifest.code)
        source = ArtifactSource(bundle.path, "model.keras", keras_runtime, bundle.signature, trust)
        return RemoteSession(source, None, tmp_path)

    with pytest.raises(MissingCodeError, match=r"lab>Tab and lab>act from tab\.py"):
        session().run([{"x": X}])
    given = session(code("tab.py", TAB + "# altered\n"))
    assert given.run([{"x": X}])[0]["y"].shape == (2, 3)
    assert given.differences == ["the code in tab.py is not what the bundle was built with: lab>Tab, lab>act"]


def test_a_comparison_whose_code_is_missing_was_not_made(travelling):
    with pytest.raises(MissingCodeError, match="needs lab>Tab") as missing:
        kexport.compare(travelling / "net" / "model.keras", travelling / "net" / "model.onnx", search="1")
    assert missing.value.exit_code == UNCHECKED

"""`file.py:callable` and `package.module:callable`; nothing is built here, only found and loaded."""

import gc
import sys

import pytest

from kexport.errors import KexportError, ModelError, UsageError
from kexport.factory import sources

CODE = """
import keras
import layers

DOMAINS = {"x": "uniform(-3, 3)"}
LIVE = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
value = 3

def make(units: int, activation="relu", wide: bool = False):
    x = keras.Input((4,), name="x")
    return keras.Model(x, keras.layers.Dense(units, activation=activation)(layers.double(x)), name="made")

def broken():
    return [1][3]

def leaves():
    raise SystemExit(3)

def nothing():
    return None

class Sub(keras.Model):
    def __init__(self, units: int = 2):
        super().__init__()
        self.units = units
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with mine.py and its own layers.py; the current folder has another layers.py."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "mine.py").write_text(CODE)
    (folder / "layers.py").write_text("def double(x):\n    return x * 2\n")
    (tmp_path / "layers.py").write_text("raise RuntimeError('the wrong one')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if name in ("layers", "project", "packaged") or name.startswith(("kexport_import_", "packaged.")):
            del sys.modules[name]


def load(model, **settings):
    return sources.find(model, settings).load()


def test_a_callable_gets_its_settings_typed_and_its_own_neighbours(project):
    source = sources.find("project/mine.py:make", {"units": "3", "activation": "tanh", "wide": "yes"})
    assert source.name == "make"
    assert source.domains == {"x": "uniform(-3, 3)"}
    model = source.load()
    assert model.output_shape == (None, 3)
    assert model.layers[-1].activation.__name__ == "tanh"


def test_a_neighbour_of_an_earlier_file_makes_way(project, tmp_path):
    load("project/mine.py:make", units="3")
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.py").write_text(CODE)
    (other / "layers.py").write_text("def double(x):\n    return x[:, :1]\n")
    assert load("other/mine.py:make", units="3").layers[-1].kernel.shape == (1, 3)


def test_a_file_that_was_changed_is_run_again(project):
    load("project/mine.py:make", units="3")
    (project / "mine.py").write_text(CODE.replace("make(units: int", "make(units: int = 7"))
    assert load("project/mine.py:make").output_shape == (None, 7)


def test_a_class_and_a_live_model_are_sources_too(project):
    assert load("project/mine.py:Sub", units="5").units == 5
    assert load("project/mine.py:LIVE").output_shape == (None, 1)


@pytest.mark.parametrize(
    ("model", "settings", "kind", "words"),
    [
        ("nowhere/mine.py:make", {}, UsageError, "there is no file"),
        ("project/mime.py:make", {}, UsageError, "did you mean mine.py"),
        ("project/mine.py", {}, UsageError, "(?s)no function in it.*it defines make, "),
        ("project/mine.py:mak", {}, UsageError, "did you mean make"),
        ("project/mine.py:value", {}, UsageError, "not callable"),
        ("project/mine.py:make", {}, UsageError, "needs a value for units"),
        ("project/mine.py:make", {"units": "many"}, UsageError, "a whole number"),
        ("project/mine.py:make", {"unit": "1"}, UsageError, "did you mean units"),
        ("project/mine.py:LIVE", {"units": "1"}, UsageError, "takes no --set"),
        ("project/mine.py:broken", {}, ModelError, r"IndexError: .*\(project/mine.py:14\)"),
        ("project/mine.py:leaves", {}, ModelError, r"SystemExit: 3 \(project/mine.py:17\)"),
        ("project/mine.py:nothing", {}, ModelError, "NoneType"),
        ("no.such:make", {}, UsageError, "there is no module"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_one_error(project, model, settings, kind, words):
    with pytest.raises(kind, match=words):
        load(model, **settings)


def test_a_coroutine_is_no_model_and_python_says_nothing_of_it(project, recwarn):
    (project / "later.py").write_text("async def make(): pass\n")
    with pytest.raises(ModelError, match="coroutine"):
        load("project/later.py:make")
    gc.collect()
    assert not [each for each in recwarn if "never awaited" in str(each.message)]


def test_code_that_fails_or_does_not_parse_is_told_with_its_line(project):
    (project / "mine.py").write_text("import keras\n\n1 / 0\n\ndef make(): pass\n")
    with pytest.raises(UsageError, match=r"ZeroDivisionError: division by zero \(project/mine.py:3\)"):
        load("project/mine.py:make")
    (project / "mine.py").write_text("def make(:\n")
    with pytest.raises(UsageError, match=r"mine.py:1"):
        load("project/mine.py:make")


def test_a_module_is_found_from_the_current_folder(project, tmp_path):
    package = tmp_path / "packaged"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "models.py").write_text(
        "import keras\ndef make(n: int = 2):\n    return keras.Sequential([keras.Input((n,)), keras.layers.Dense(1)])\n"
    )
    assert load("packaged.models:make", n="5").input_shape == (None, 5)
    with pytest.raises(KexportError, match="did you mean make"):
        load("packaged.models:mak")


def test_what_a_file_puts_on_the_import_path_is_there_when_its_function_is_called(project, tmp_path):
    library = tmp_path / "library"
    library.mkdir()
    (library / "nets_of_mine.py").write_text("UNITS = 3\n")
    code = f"import sys\nsys.path.insert(0, {str(library)!r})\n" + CODE.replace(
        "x = keras.Input", "import nets_of_mine\n    x = keras.Input"
    )
    (project / "extends.py").write_text(code)
    model = sources.find(f"{project}/extends.py:make", {"units": "3"}).load()
    assert model.output_shape == (None, 3)

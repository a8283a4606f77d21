import sys

import keras
import numpy as np
import pytest
from keras import layers

import kexport
import kexport_layers
from kexport.bundle.code_entry import CodeKind
from kexport.factory.trace import trace
from kexport.factory.user_code_record import record_user_code
from kexport.runtimes.keras_model import load_file
from kexport.user_code import run_file

PARTS = """
import keras

registered = keras.saving.register_keras_serializable(package="parts")

@registered
class Gate(keras.layers.Layer):
    def call(self, x):
        return x * 2

@registered
class Ones(keras.initializers.Initializer):
    def __call__(self, shape, dtype=None):
        return keras.ops.ones(shape, dtype)

@registered
class Cell(keras.layers.Layer):
    state_size = output_size = 3
    def call(self, x, states):
        y = x + states[0]
        return y, [y]

@registered
def double(x):
    return x * 2

@registered
class Whole(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.gate = Gate()
    def call(self, x):
        return self.gate(x)

def forgotten(x):
    return x * 2

def inner():
    @registered
    class Inner(keras.layers.Layer):
        def call(self, x):
            return x * 2
    return Inner

@registered
def of_training(y, z):
    return keras.ops.mean(y - z)

def made():
    @registered
    class Made(keras.layers.Layer):
        def call(self, x):
            return x * 2
    return Made

MADE = [made()]
"""


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    path = tmp_path_factory.mktemp("parts") / "parts.py"
    path.write_text(PARTS)
    yield run_file(path)
    del sys.modules["kexport_import_parts"]


@pytest.fixture
def recorded(tmp_path):
    """`recorded(model)`: the record of a model that was saved as a bundle's `.keras` file is."""

    def record(model):
        keras.saving.save_model(model, tmp_path / "model.keras")
        return record_user_code(trace(model), tmp_path, ())

    return record


def model_of(*path, shape=(3,)):
    x = y = keras.Input(shape, name="x")
    for layer in path:
        y = layer(y)
    return keras.Model(x, y)


def kinds_of(record):
    return [(entry.name, entry.kind, entry.file) for entry in record.entries]


def test_a_model_of_keras_layers_needs_no_code(recorded):
    record = recorded(model_of(layers.Dense(2, activation="relu", kernel_initializer="zeros")))
    assert record.entries == record.notes == ()


def test_layers_functions_and_initializers_are_recorded_wherever_they_are_nested(recorded, parts):
    dense = layers.Dense(3, activation=parts.double, kernel_initializer=parts.Ones())
    inside = keras.Sequential([keras.Input((4, 3)), layers.RNN([parts.Cell(), layers.LSTMCell(3)])])
    record = recorded(model_of(inside, dense, shape=(4, 3)))
    assert sorted(kinds_of(record)) == [
        ("parts>Cell", CodeKind.LAYER, "parts.py"),
        ("parts>Ones", CodeKind.CLASS, "parts.py"),
        ("parts>double", CodeKind.FUNCTION, "parts.py"),
    ]
    assert record.notes == ()


def test_of_a_subclassed_model_the_class_itself_is_recorded(recorded, parts):
    model = parts.Whole()
    model(np.zeros((1, 3), "float32"))
    assert kinds_of(recorded(model)) == [("parts>Whole", CodeKind.MODEL, "parts.py")]


def test_what_a_model_was_compiled_with_is_neither_recorded_nor_needed(recorded, parts, tmp_path):
    inside = keras.Sequential([keras.Input((3,)), layers.Dense(3)])
    inside.compile("sgd", loss=parts.forgotten)
    model = model_of(inside)
    model.compile("sgd", loss=parts.of_training)
    assert recorded(model).entries == ()
    again = load_file(tmp_path / "model.keras")
    assert np.array_equal(again(np.ones((1, 3))), model(np.ones((1, 3))))


def test_the_layers_of_an_installed_package_are_recorded_by_module_and_version(recorded):
    (entry,) = recorded(model_of(kexport_layers.ScaledOutput(2.0))).entries
    assert (entry.module, entry.distribution) == ("kexport_layers.scaled_output", "kexport")
    assert entry.version == kexport.__version__
    assert not entry.sha256


def test_a_lambda_is_recorded_as_what_it_is_and_a_function_in_one_as_a_function(recorded, parts):
    record = recorded(model_of(layers.Lambda(lambda x: x + 1, name="plus"), layers.Lambda(parts.double)))
    assert kinds_of(record) == [("parts>double", CodeKind.FUNCTION, "parts.py"), ("plus", CodeKind.LAMBDA, "")]


def test_a_class_inside_a_function_cannot_be_loaded_by_others_unless_the_file_itself_makes_it(recorded, parts):
    record = recorded(model_of(parts.inner()()))
    (note,) = record.notes
    assert "layer parts>Inner is defined inside a function of parts.py" in note
    assert "others cannot load the .keras file" in note
    assert record.entries[0].import_name == ""
    assert recorded(model_of(parts.MADE[0]())).notes == ()


def test_a_class_in_no_file_cannot_be_loaded_by_others(recorded):
    names = {"keras": keras}
    exec("@keras.saving.register_keras_serializable(package='nowhere')\nclass Bare(keras.layers.Layer):\n"
         "    def call(self, x):\n        return x * 2\n", names)  # fmt: skip
    record = recorded(model_of(names["Bare"]()))
    assert kinds_of(record) == [("nowhere>Bare", CodeKind.LAYER, "")]
    assert record.notes == (
        "layer nowhere>Bare is defined in no file: others cannot load the .keras file; move it to a file",
    )


def test_a_name_that_other_code_has_registered_since_is_noted(recorded, parts, tmp_path):
    model = model_of(parts.Gate())
    (tmp_path / "later.py").write_text(PARTS)
    later = run_file(tmp_path / "later.py")
    assert recorded(model).notes == (), "the code is the same"
    (tmp_path / "other.py").write_text(PARTS.replace("x * 2", "x * 3"))
    run_file(tmp_path / "other.py")
    try:
        assert recorded(model).notes == (
            "layer parts>Gate of the model is that of parts.py, and the .keras file loads the one of other.py",
        )
    finally:
        keras.saving.get_custom_objects()["parts>Gate"] = parts.Gate
    assert later.Gate is not parts.Gate


def test_a_class_that_is_known_within_a_scope_alone_cannot_be_loaded_by_others(recorded, parts):
    class_ = type("Scoped", (layers.Layer,), {"__module__": parts.__name__, "call": lambda self, x: x})
    with keras.saving.custom_object_scope({"Scoped": class_}):
        (note,) = recorded(model_of(class_())).notes
    assert "layer Scoped is known to Keras within a custom_object_scope alone" in note


def test_a_function_that_is_not_registered_is_refused_by_name(parts, tmp_path):
    with pytest.raises(kexport.KexportError, match="not registered: forgotten"):
        kexport.build(model_of(layers.Dense(2, activation=parts.forgotten)), tmp_path / "b", formats=["keras"])


def test_the_notes_are_in_the_report_and_the_code_in_the_manifest(parts, tmp_path):
    model = model_of(parts.inner()())
    bundle = kexport.build(model, tmp_path / "b", formats=["keras"], contracts=["bounded(-9, 9)"])
    assert bundle.passed
    assert [entry.name for entry in bundle.manifest.code] == ["parts>Inner"]
    assert any("others cannot load the .keras file" in str(note) for note in bundle.report.notes)

"""Models of Keras 2. Its package is not required, as it brings a second TensorFlow: a stand-in has its interface."""

import json
import sys
import types
import zipfile
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import kexport
from kexport.errors import MissingCodeError, ModelError
from kexport.factory import sources
from kexport.factory.trace.program import trace
from kexport.runtimes.keras_model import Grant, granting, load_file
from kexport.testing.closeness import assert_close

KERNEL = np.arange(12, dtype="float32").reshape(4, 3) / 10


class Model(tf.Module):
    """What of `tf_keras.Model` is used."""

    def __init__(self, spec=None, names=None, outputs=lambda x: x):
        super().__init__(name="old")
        self.kernel = tf.Variable(KERNEL)
        self.spec, self.output_names, self.outputs = spec, names, outputs

    def save_spec(self):
        return self.spec

    def __call__(self, x, training):
        assert training is False
        x = x["x"] if isinstance(x, dict) else x
        return self.outputs(tf.tanh(x @ self.kernel))


TENSOR = tf.TensorSpec((None, 4), name="x")


@pytest.fixture
def loaded(monkeypatch):
    """What the stand-in was asked to load."""
    calls = []

    def load_model(path, **options):
        calls.append((path, options))
        return Model(((TENSOR,), {}))

    module: Any = types.ModuleType("tf_keras")
    module.Model, module.__version__ = Model, "2.0.0"
    module.__spec__ = types.SimpleNamespace(name="tf_keras")
    module.models = types.SimpleNamespace(load_model=load_model)
    module.saving = types.SimpleNamespace(get_registered_object=lambda name: None)
    monkeypatch.setitem(sys.modules, "tf_keras", module)
    return calls


def written(path, *layers, version="2.21.0"):
    """A `.keras` file whose configuration holds these layers."""
    config = {"class_name": "Functional", "module": "tf_keras.src.engine.functional", "config": {"layers": layers}}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("metadata.json", json.dumps({"keras_version": version}))
    return path


def operation(name):
    return {"class_name": "TFOpLambda", "module": "tf_keras.src.layers", "config": {"function": name}}


def names(found):
    signature = trace(found.load()).signature
    return [spec.name for spec in signature.inputs], [spec.name for spec in signature.outputs]


def test_a_live_model_is_built_without_the_format_that_needs_layers(loaded, tmp_path):
    bundle = kexport.build(Model(((TENSOR,), {})), tmp_path / "out")
    assert bundle.passed
    assert [artifact.format for artifact in bundle.manifest.artifacts] == ["saved_model", "onnx", "tflite"]
    x = np.ones((2, 4), "float32")
    with kexport.load(tmp_path / "out", runtime="onnxruntime") as model:
        assert_close(model(x), np.tanh(x @ KERNEL))


def test_inputs_and_outputs_have_the_names_of_the_model_where_sorting_keeps_them(loaded):
    assert names(sources.find(Model((({"x": TENSOR},), {}), ["y"]), {})) == (["x"], ["y"])
    two = {"outputs": lambda x: (x, -x)}
    assert names(sources.find(Model(((TENSOR,), {}), ["a", "b"], **two), {}))[1] == ["a", "b"]
    assert names(sources.find(Model(((TENSOR,), {}), ["b", "a"], **two), {}))[1] == ["output_0", "output_1"]


@pytest.mark.parametrize("spec", [None, ((TENSOR, TENSOR), {}), ((TENSOR,), {"mask": TENSOR})])
def test_a_model_of_unknown_or_several_arguments_is_refused(loaded, spec):
    with pytest.raises(ModelError, match="never called" if spec is None else "arguments besides its inputs"):
        sources.find(Model(spec), {}).load()


def test_a_file_is_read_by_keras_2_where_that_is_installed(loaded, tmp_path):
    path = written(tmp_path / "old.keras", operation("nn.relu"), operation("__operators__.getitem"))
    assert names(sources.find(path, {})) == (["x"], ["output_0"])
    assert loaded == [(path, {"compile": False, "safe_mode": True})]


def test_a_file_is_refused_with_what_to_install_where_it_is_not(tmp_path):
    assert "tf_keras" not in sys.modules
    path = written(tmp_path / "old.keras")
    with pytest.raises(ModelError, match=r"Functional(.|\n)*Keras 2.21.0 wrote it: pip install --no-deps tf_keras"):
        sources.find(path, {}).load()


@pytest.mark.parametrize("name", ["io.write_file", "io.gfile.remove", "py_function", "load_library"])
def test_a_function_that_may_do_more_than_compute_needs_leave(loaded, tmp_path, name):
    path = written(tmp_path / "old.keras", operation("math.multiply"), operation(name))
    with pytest.raises(ModelError, match=rf"got: +{name}\n(.|\n)*--allow-lambda"):
        sources.find(path, {}).load()
    assert not loaded
    with granting(Grant(allow_lambda=True)):
        sources.find(path, {}).load()
    assert loaded[0][1]["safe_mode"] is False


def test_a_class_that_is_not_registered_with_keras_2_is_asked_for(loaded, tmp_path):
    own = {"class_name": "Own", "module": "os", "registered_name": "mine>Own", "config": {}}
    with pytest.raises(ModelError, match="mine>Own"):
        sources.find(written(tmp_path / "old.keras", own), {}).load()
    assert not loaded


def test_a_file_of_keras_3_is_never_given_to_keras_2(loaded, tmp_path):
    with pytest.raises((ModelError, MissingCodeError)):
        sources.find(written(tmp_path / "new.keras", version=keras.__version__), {}).load()
    assert not loaded
    with pytest.raises(ModelError):
        load_file(written(tmp_path / "other.keras"))


@pytest.mark.parametrize(
    ("kind", "way_out"), [("PruneLowMagnitude", "strip_pruning"), ("ClusterWeights", "strip_cluster")]
)
def test_layers_that_were_for_training_alone_are_refused_with_what_takes_them_off(loaded, tmp_path, kind, way_out):
    model = Model(((TENSOR,), {}))
    model.layers = [type(kind, (tf.Module,), {})(name="wrapped_dense"), tf.Module(name="plain")]
    with pytest.raises(ModelError, match=rf"wrapped_dense\n(.|\n)*{way_out}"):
        kexport.build(model, tmp_path / "b")


@pytest.mark.parametrize(
    ("kind", "way_out"),
    [("PruneLowMagnitude", r"strip_pruning\(model\)"), ("QuantizeLayer", r"tf\.saved_model\.save\(model, FOLDER\)")],
)
def test_a_class_that_keras_2_finds_missing_itself_is_told_with_the_way_out(loaded, tmp_path, kind, way_out):
    """A legacy .h5 file does not say where its classes are from."""

    def load_model(path, **options):
        raise ValueError(f"Unknown layer: '{kind}'. Please ensure you are using a `custom_object_scope`")

    sys.modules["tf_keras"].models.load_model = load_model
    with pytest.raises(ModelError, match=way_out) as raised:
        sources.find(written(tmp_path / "old.keras"), {}).load()
    assert "tensorflow-model-optimization" in str(raised.value)

import keras
import numpy as np
import pytest
import tensorflow as tf

import kexport
from kexport.errors import ModelError
from kexport.factory import sources
from kexport.factory.inputs.domains import resolve_domains
from kexport.factory.trace.program import trace
from kexport.factory.truth import TWIN, establish
from kexport.factory.truth.oracle import Oracle
from kexport.testing.closeness import assert_close


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Keras' own export, of eleven outputs."""
    x = keras.Input((4,), name="x")
    model = keras.Model(x, [keras.layers.Dense(i + 1, name=f"y{i}")(x) for i in range(11)])
    folder = tmp_path_factory.mktemp("exported") / "mine"
    model.export(folder, verbose=False)
    return model, folder


def test_a_saved_model_is_built_in_the_formats_that_it_can_be_and_its_own_evaluation_is_the_truth(exported, tmp_path):
    model, folder = exported
    bundle = kexport.build(str(folder), tmp_path / "b")
    assert bundle.passed, bundle.report
    assert {artifact.format for artifact in bundle.manifest.artifacts} == {"saved_model", "onnx", "tflite"}
    assert {limit.source for limit in bundle.manifest.limits} == {TWIN}
    values = np.random.default_rng(0).random((3, 4), "float32")
    outputs = kexport.load(bundle.path, "onnxruntime")({"x": values})
    for value, wanted in zip(outputs.values(), model(values), strict=True):
        assert_close(value, wanted)


def test_the_truth_is_its_graph_in_float64_not_its_own_rounding(tmp_path):
    module = tf.Module()
    module.kernel = tf.Variable(np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3))

    @tf.function(input_signature=[tf.TensorSpec((None, 4), name="x")])
    def serve(x):
        return {"y": tf.math.log(tf.square(x @ module.kernel) + 1e-10)}

    tf.saved_model.save(module, str(tmp_path / "s"), signatures={"serving_default": serve})
    program = trace(sources.find(tmp_path / "s", {}).load())
    domains = resolve_domains(program, {}).domains
    found = establish(program, Oracle(program, domains), domains)
    assert found.limits[0].source == TWIN
    kernel = module.kernel.numpy().astype("float64")
    for golden in found.goldens:
        product = golden.inputs["x"].astype("float64") @ kernel
        assert_close(golden.truth["y"], np.log(np.square(product) + np.float64(np.float32(1e-10))))


def test_keras_is_refused_for_it(exported, tmp_path):
    with pytest.raises(kexport.KexportError, match="does not keep layers"):
        kexport.build(exported[1], tmp_path / "b", formats=["keras"])
    assert list(tmp_path.iterdir()) == []


def test_any_serving_signature_will_do_and_its_names_are_kept(tmp_path):
    module = tf.Module()
    module.scale = tf.Variable(3.0)

    @tf.function(input_signature=[tf.TensorSpec((None, 2), name="left"), tf.TensorSpec((None, 2), name="right")])
    def serve(left, right):
        return {"sum": left + right * module.scale, "count": tf.shape(left)[0]}

    tf.saved_model.save(module, str(tmp_path / "s"), signatures={"serving_default": serve})
    served = sources.find(tmp_path / "s", {}).load()
    program = trace(served)
    assert [spec.name for spec in program.signature.inputs] == ["left", "right"]
    assert [(spec.name, spec.shape) for spec in program.signature.outputs] == [("count", ()), ("sum", (None, 2))]
    ones = np.ones((1, 2), "float32")
    assert program.interface.run(served, [ones, ones])[1].tolist() == [[4, 4]]
    (weight,) = served.get_weights()
    served.set_weights([weight * 2])
    assert program.interface.run(served, [ones, ones])[1].tolist() == [[7, 7]]


def test_a_folder_that_is_none_and_one_without_the_signature_are_refused(tmp_path):
    with pytest.raises(ModelError, match=r"without saved_model\.pb"):
        sources.find(tmp_path, {})
    tf.saved_model.save(tf.Module(), str(tmp_path / "s"))
    with pytest.raises(ModelError, match="no signature"):
        sources.find(tmp_path / "s", {}).load()


@pytest.mark.parametrize("within", [False, True])
def test_a_graph_that_draws_random_numbers_is_at_fault_itself(tmp_path, within):
    """It was "not checked": what looked like the float error of the model was its draws."""
    inner = tf.function(lambda x: x + tf.random.normal(tf.shape(x)))

    def drawing(x):
        return {
            "y": tf.cond(tf.reduce_all(x > -9), lambda: inner(x), lambda: x) if within else inner.python_function(x)
        }

    module = tf.Module()
    module.f = tf.function(drawing)
    signature = module.f.get_concrete_function(tf.TensorSpec([None, 3], tf.float32, "x"))
    tf.saved_model.save(module, tmp_path / "drawing", signatures=signature)
    bundle = kexport.build(str(tmp_path / "drawing"), tmp_path / "b", formats=("saved_model",))
    assert not bundle.passed
    (fault,) = [check for check in bundle.report.checks if check.kind == "model"]
    assert not fault.passed
    assert "a second call on the same input gives another result" in fault.detail
    assert "RandomStandardNormal" in fault.detail

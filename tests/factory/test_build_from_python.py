import subprocess
import sys
import threading
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

import kexport


def two_by_two():
    """Two inputs and two outputs whose order is not that of the alphabet, in nested structures."""
    zebra = keras.Input((4,), name="zebra")
    ant = keras.Input((3,), name="ant")
    joined = keras.layers.Concatenate(name="joined")([zebra, ant])
    one = keras.layers.Dense(2, name="one")(joined)
    other = keras.layers.Dense(5, activation="softmax", name="alpha")(joined)
    return keras.Model([zebra, ant], {"yes": one, "al so": other}, name="two_by_two")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return kexport.build(two_by_two(), tmp_path_factory.mktemp("api") / "b", domain={"ant": (0, 3)})


def test_a_live_model_of_two_inputs_and_two_outputs_passes_in_every_runtime(bundle):
    assert bundle.passed, bundle.report
    assert bundle.path.name == "b"
    assert bundle.manifest.name == "two_by_two"
    assert [spec.name for spec in bundle.signature.inputs] == ["zebra", "ant"]
    assert {spec.name for spec in bundle.signature.outputs} == {"yes", "al_so"}
    assert bundle.manifest.domains["ant"] == "uniform(0, 3)"
    assert len([check for check in bundle.report.checks if check.kind == "parity"]) == 10


def test_loaded_models_take_and_give_mappings_in_every_light_runtime(bundle):
    rng = np.random.default_rng(0)
    feeds = {"zebra": rng.random((3, 4), "float32"), "ant": rng.random((3, 3), "float32")}
    results = [kexport.load(bundle.path, name)(feeds) for name in ("onnxruntime", "litert")]
    assert list(results[0]) == [spec.name for spec in bundle.signature.outputs]
    for name in results[0]:
        assert results[0][name].shape == results[1][name].shape


def test_the_saved_model_answers_serve_in_the_structure_of_the_model(bundle):
    import tensorflow as tf

    model = tf.saved_model.load(str(bundle.path / "saved_model"))
    outputs = model.serve([tf.ones((2, 4)), tf.ones((2, 3))])
    assert set(outputs) == {"yes", "al so"}
    named = model.signatures["serving_default"](zebra=tf.ones((2, 4)), ant=tf.ones((2, 3)))
    assert set(named) == {spec.name for spec in bundle.signature.outputs}


def test_the_files_themselves_carry_the_public_names_in_order(bundle):
    from kexport.field.inspection import describe

    for name in ("model.onnx", "model.tflite", "model.keras"):
        declared = describe(bundle.path / name).declaration.functions[0].signature
        assert [spec.name for spec in declared.inputs] == ["zebra", "ant"]
        assert [spec.name for spec in declared.outputs] == [spec.name for spec in bundle.signature.outputs]


def test_recorded_samples_are_a_domain(tmp_path):
    inputs = keras.Input((2,), name="x")
    model = keras.Model(inputs, keras.layers.Dense(1, name="y")(inputs))
    samples = np.random.default_rng(0).normal(size=(20, 2)).astype("float32")
    bundle = kexport.build(model, tmp_path / "b", formats=["onnx"], domain={"x": samples})
    assert bundle.passed
    assert bundle.manifest.domains == {"x": "samples(20)"}
    assert all("recorded" in label for label in bundle.manifest.cases)


def test_a_regulariser_leaves_no_trace_in_inference_artifacts_and_survives_in_keras(tmp_path):
    from conftest import REFERENCE

    model = keras.saving.load_model(REFERENCE / "regularized" / "model.keras")
    assert isinstance(model.get_layer("hidden").kernel_regularizer, keras.regularizers.L1)
    manifest = kexport.Bundle.open(REFERENCE / "regularized").manifest
    ops = next(artifact for artifact in manifest.artifacts if artifact.format == "onnx").details["ops"]
    assert set(ops) <= {"MatMul", "Add", "Relu", "Gemm"}


def test_a_model_without_a_float64_twin_is_judged_by_perturbation_and_says_so(tmp_path):
    class Stubborn(keras.layers.Layer):
        def __init__(self, matrix):
            super().__init__(name="y")
            self.matrix = tf.constant(matrix)

        def call(self, x):
            return tf.matmul(x, self.matrix)  # which is of single precision, and matmul wants both alike

    inputs = keras.Input((3,), name="x")
    model = keras.Model(inputs, Stubborn(np.eye(3, dtype="float32"))(inputs))
    bundle = kexport.build(model, tmp_path / "b", formats=["onnx"])
    assert bundle.passed
    assert bundle.manifest.limits[0].source == "one-ulp perturbation"


def test_a_layer_that_the_onnx_converter_lacks_is_refused_and_nothing_is_written(tmp_path):
    inputs = keras.Input((4,), dtype="string", name="x")
    model = keras.Model(inputs, keras.layers.Hashing(8, name="y")(inputs))
    with pytest.raises(kexport.KexportError, match=r"onnx|ONNX") as caught:
        kexport.build(model, tmp_path / "b", formats=["onnx"])
    assert caught.value.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(kexport.KexportError, match="not a model"):
        kexport.build(42, tmp_path / "b")


def test_inputs_that_nobody_named_pass_in_keras_too(tmp_path):
    inputs = [keras.Input((2,)), keras.Input((3,))]
    model = keras.Model(inputs, keras.layers.Concatenate(name="y")(inputs))
    bundle = kexport.build(model, tmp_path / "b", formats=["keras"])
    assert bundle.passed, bundle.report
    assert [spec.name for spec in bundle.signature.inputs] == [tensor.name for tensor in model.inputs]


def test_a_build_leaves_the_settings_of_python_to_the_process_that_asked():
    code = (
        "import os\nfrom kexport.factory.tensorflow_workers import import_tensorflow\nimport_tensorflow()\n"
        "assert os.environ['TF_CPP_MIN_LOG_LEVEL']\n"
        "assert not {'PYTHONSAFEPATH', 'PYTHONWARNINGS'} & set(os.environ)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_builds_in_two_threads_take_turns(tmp_path):
    """A build sets the default dtype of all of Keras for a while: another would make its layers of that."""
    seen, steps = [], []

    def second():
        kexport.build(two_by_two(), tmp_path / "second", formats=["keras"], progress=steps.append)

    other = threading.Thread(target=second)

    def first(step):
        if not other.ident:
            other.start()
        time.sleep(0.1)
        seen.extend(steps)

    assert kexport.build(two_by_two(), tmp_path / "first", formats=["keras"], progress=first).passed
    other.join()
    assert steps
    assert not seen
    assert keras.config.floatx() == "float32"


_FORKED = """
import os, keras, kexport, kexport.factory
from kexport.factory import tensorflow_workers
keras.ops.ones(2) + 1
if (pid := os.fork()) == 0:
    try:
        kexport.build(keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]), "b", formats=["keras"])
    except kexport.KexportError as error:
        print(error, flush=True)
    finally:
        os._exit(0)
os.waitpid(pid, 0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody forks")
def test_a_fork_of_a_program_that_has_run_tensorflow_is_told_so_and_does_not_hang(tmp_path):
    done = subprocess.run([sys.executable, "-c", _FORKED], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert "TensorFlow cannot run in this process" in done.stdout

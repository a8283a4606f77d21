"""Dense layers on more than two axes, in TFLite: one operator, whatever sizes are known."""

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

import kexport
from kexport.runtimes.files import tflite


def operators(path):
    model = tflite.parse(path.read_bytes())
    return [kind for graph in model.subgraphs for kind, _ in tflite.operators_of(model, graph)]


def built(folder, shape, body, **options):
    keras.utils.set_random_seed(0)
    x = keras.Input(shape, name="x")
    bundle = kexport.build(keras.Model(x, body(x)), folder, formats=["tflite"], **options)
    assert bundle.passed, [check for check in bundle.report.checks if not check.passed]
    return bundle


@pytest.mark.parametrize("shape", [(5, 4), (None, 4), (None, 5, 4), (None, None, 4)])
def test_a_dense_layer_is_one_operator(tmp_path, shape):
    bundle = built(tmp_path / "b", shape, keras.layers.Dense(3, activation="relu", name="y"))
    assert operators(bundle.path / "model.tflite") == ["FULLY_CONNECTED"]


def test_and_in_integers(tmp_path):
    bundle = built(tmp_path / "b", (None, 4), keras.layers.Dense(3, name="y"), precision="int8", domain={"x": (-1, 1)})
    assert operators(bundle.path / "model.int8.tflite") == ["QUANTIZE", "FULLY_CONNECTED", "DEQUANTIZE"]


def folded(x):
    """Flattened, multiplied, and restored to other axes than before."""
    rows = keras.ops.reshape(x, (-1, 4))
    return keras.ops.reshape(keras.ops.matmul(rows, np.arange(12, dtype="float32").reshape(4, 3)), (-1, 2, 3, 3))


def test_a_product_of_axes_that_were_restored_otherwise_stays_what_it_is(tmp_path):
    bundle = built(tmp_path / "b", (6, 4), folded)
    assert "RESHAPE" in operators(bundle.path / "model.tflite")


def test_a_transposition_in_front_stays(tmp_path):
    def turned(x):
        return keras.layers.Dense(3, name="y")(keras.layers.Permute((2, 1))(x))

    assert operators(built(tmp_path / "b", (6, 4), turned).path / "model.tflite") == ["TRANSPOSE", "FULLY_CONNECTED"]


def test_nothing_behind_a_mean_over_time_is_laid_out_during_a_call(tmp_path):
    def gated(x):
        weight = keras.layers.Dense(4, activation="sigmoid")(keras.layers.GlobalAveragePooling1D(keepdims=True)(x))
        return keras.layers.Conv1D(2, 2, padding="same", name="y")(x * weight)

    bundle = built(tmp_path / "b", (None, 4), gated)
    assert not {"SHAPE", "PACK"} & {*operators(bundle.path / "model.tflite")}
    interpreter = Interpreter(str(bundle.path / "model.tflite"))
    for shape in ((7, 2, 4), (2, 3, 4), (7, 8, 4)):
        place = interpreter.get_input_details()[0]["index"]
        interpreter.resize_tensor_input(place, shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(place, np.ones(shape, "float32"))
        interpreter.invoke()
        assert interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).shape == (*shape[:2], 2)

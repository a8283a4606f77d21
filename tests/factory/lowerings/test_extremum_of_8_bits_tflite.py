"""A limit of one use of a tensor is none of the others, in integers too; nor is its constant that of others."""

import keras
import numpy as np
import pytest
from keras import ops

import kexport

USES = {
    "elu": ops.elu,
    "selu": ops.selu,
    "celu": ops.celu,
    "negative": lambda x: ops.minimum(x, 0.0) * 0.3 + ops.maximum(x, 0.0),
    "lower": lambda x: x + ops.minimum(x, 0.1),
    "reshaped": lambda x: x + ops.reshape(ops.minimum(ops.reshape(x, (-1, 4, 2)), 0.1), (-1, 8)),
    "higher": lambda x: x - ops.maximum(x, 0.2),
    "between": lambda x: x * ops.clip(x, -0.5, 0.7),
    "shrunk": ops.soft_shrink,  # compares with constants that are added too
}


def sums_given_to(uses):
    keras.utils.set_random_seed(0)
    x = keras.Input((6,), name="x")
    sums = {name: keras.layers.Dense(8)(x) + keras.layers.Dense(8, activation="tanh")(x) for name in uses}
    return keras.Model(x, {name: use(sums[name]) for name, use in uses.items()})


def signal_to_noise(model, bundle, precision):
    x = np.random.default_rng(1).uniform(-1, 1, (200, 6)).astype("float32")
    results = kexport.load(bundle.path, "litert", precision=precision)(x)
    truths = {name: np.asarray(value, "float64") for name, value in model(x).items()}
    return {
        name: 10 * np.log10(np.square(truth).sum() / np.square(truth - results[name]).sum())
        for name, truth in truths.items()
    }


@pytest.mark.parametrize("precision", ["int8", "int16x8"])
def test_what_else_takes_the_operand_of_an_extremum_gets_all_of_it(tmp_path, precision):
    model = sums_given_to(USES)
    bundle = kexport.build(model, tmp_path / "b", formats=["tflite"], precision=precision)
    assert min(signal_to_noise(model, bundle, precision).values()) > 25  # dB; in int8 they had 1 to 10


def test_an_extremum_alone_stays_one(tmp_path):
    model = sums_given_to({"lower": lambda x: ops.minimum(x, 0.1)})
    bundle = kexport.build(model, tmp_path / "b", formats=["tflite"], precision="int8")
    from ai_edge_litert.interpreter import Interpreter

    operators = Interpreter(str(bundle.path / "model.int8.tflite"))._get_ops_details()
    assert "MINIMUM" in [each["op_name"] for each in operators]

"""Weights of few numbers in `dynamic`: 8 bits where TensorFlow's converter leaves them in float."""

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType

import kexport
from kexport.bundle.precision import usual_decibels

LAYERS = keras.layers
SHARED = LAYERS.Dense(12, activation="tanh", bias_initializer="normal")
NETWORKS = {
    "matrices of rows": ((7, 12), [LAYERS.Dense(30, activation="relu"), LAYERS.Dense(25)]),
    "an unknown length": ((None, 12), [LAYERS.Dense(30, activation="relu"), LAYERS.Conv1D(8, 3, padding="causal")]),
    "depthwise": (
        (16, 16, 8),
        [LAYERS.DepthwiseConv2D(5, depth_multiplier=2), LAYERS.DepthwiseConv2D(3, dilation_rate=2)],
    ),
    "transposed": ((8, 8, 6), [LAYERS.Conv2DTranspose(6, 4, strides=2), LAYERS.Conv2DTranspose(3, 3)]),
    "dilated": ((16, 16, 4), [LAYERS.Conv2D(8, 3, dilation_rate=2, activation="relu"), LAYERS.Conv2D(4, 5)]),
    "called twice": ((12,), [SHARED, SHARED]),
    "in a loop": ((9, 6), [LAYERS.GRU(12, return_sequences=True, reset_after=False)]),
    "nothing but 0": ((12,), [LAYERS.Dense(20, kernel_initializer="zeros", bias_initializer="ones"), LAYERS.Dense(20)]),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_few_weights_are_8_bits_in_a_smaller_file_and_right_in_the_raw_kernels(tmp_path, name):
    shape, layers = NETWORKS[name]
    keras.utils.set_random_seed(0)
    x = y = keras.Input(shape, name="x")
    for layer in layers:
        y = layer(y)
    model = keras.Model(x, y)
    bundle = kexport.build(model, tmp_path / "b", formats=["tflite"], precision="dynamic", budget="sqnr=35dB")
    assert bundle.passed
    wide, small = bundle.manifest.artifacts
    assert small.bytes < wide.bytes
    assert small.float_weights == ()
    inputs = np.random.default_rng(1).uniform(-1, 1, (2, *(11 if size is None else size for size in shape)))
    right = keras.ops.convert_to_numpy(model(inputs.astype("float32")))
    for resolver in (OpResolverType.AUTO, OpResolverType.BUILTIN_REF):
        noise = run(bundle.path / small.path, inputs.astype("float32"), resolver) - right
        assert np.square(right).sum() >= 10 ** (usual_decibels("int8") / 10) * np.square(noise).sum()


def run(path, inputs, resolver):
    interpreter = Interpreter(str(path), experimental_op_resolver_type=resolver)
    (index,) = [each["index"] for each in interpreter.get_input_details()]
    interpreter.resize_tensor_input(index, inputs.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(index, inputs)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def test_what_has_no_such_kernel_or_would_save_nothing_stays_in_float(tmp_path):
    x = keras.Input((8, 8, 8), name="x")
    grouped = LAYERS.Conv2D(16, 3, groups=4, name="grouped")(x)
    model = keras.Model(x, LAYERS.Conv2D(1, 1, name="few")(grouped))
    bundle = kexport.build(model, tmp_path / "b", formats=["tflite"], precision="dynamic")
    assert bundle.passed
    assert [place for _, place, _ in bundle.manifest.artifacts[1].float_weights] == [
        "layer 'grouped' (Conv2D)", "layer 'few' (Conv2D)",
    ]  # fmt: skip


def test_a_few_weights_of_a_large_network_stay_in_float(tmp_path):
    x = keras.Input((30,), name="x")
    wide = LAYERS.Dense(100, activation="relu")(LAYERS.Dense(1200, activation="relu")(x))
    model = keras.Model(x, LAYERS.Dense(1, name="few")(wide))
    bundle = kexport.build(model, tmp_path / "b", formats=["tflite"], precision="dynamic")
    assert bundle.passed
    assert bundle.manifest.artifacts[1].float_weights == (("FULLY_CONNECTED", "layer 'few' (Dense)", 100),)

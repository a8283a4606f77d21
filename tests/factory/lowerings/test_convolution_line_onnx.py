import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf

import kexport
from kexport.testing.closeness import assert_close

RANDOM = np.random.default_rng(0)
SIGNAL = RANDOM.normal(size=(3, 20, 1)).astype("float32")


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize(
    ("padding", "step", "rate"), [("SAME", 1, 1), ("VALID", 1, 1), ("SAME", 1, 3), ("VALID", 2, 1)]
)
@pytest.mark.parametrize(("taps", "channels"), [(5, 1), (4, 1), (5, 3)])
def test_a_line_of_one_channel_is_convolved_along_one_axis(converted, taps, channels, padding, step, rate, dynamic):
    kernel = RANDOM.normal(size=(taps, 1, channels)).astype("float32")

    def convolution(value):
        return tf.nn.convolution(tf.ensure_shape(value, (None, None, 1)), kernel, step, padding, dilations=rate)

    results, _ = converted(convolution, "onnx", SIGNAL, dynamic=dynamic)
    truth = tf.nn.convolution(SIGNAL.astype("float64"), kernel.astype("float64"), step, padding, dilations=rate)
    for (value,) in results:
        assert_close(value, truth, ulps=32, scale=np.abs(kernel).sum())


def ranks(folder, layer, shape):
    """Of the kernels of a layer's convolutions, as written into an ONNX file."""
    kexport.build(keras.Sequential([keras.Input(shape), layer]), folder / "bundle", formats=["onnx"])
    model = onnx.load(folder / "bundle" / "model.onnx")
    kernels = {tensor.name: len(tensor.dims) for tensor in model.graph.initializer}
    return [kernels[node.input[1]] for node in model.graph.node if node.op_type == "Conv"]


def test_of_one_channel_into_few_without_steps_alone(tmp_path):
    assert ranks(tmp_path, keras.layers.Conv1D(16, 5), (40, 1)) == [4]
    assert ranks(tmp_path, keras.layers.Conv1D(1, 5, strides=2), (40, 1)) == [4]
    assert ranks(tmp_path, keras.layers.Conv1D(1, 5), (40, 1)) == [3]
    assert ranks(tmp_path, keras.layers.Conv1D(4, 5), (40, 2)) == [4]

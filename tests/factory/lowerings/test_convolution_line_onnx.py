import re
from pathlib import Path

import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf

import kexport
from kexport.factory.lowerings.convolution_line_onnx import faster_as_line
from kexport.testing.closeness import assert_close

RANDOM = np.random.default_rng(0)
SIGNAL = RANDOM.normal(size=(3, 20, 3)).astype("float32")


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize(
    ("padding", "step", "rate"), [("SAME", 1, 1), ("VALID", 1, 1), ("SAME", 1, 3), ("VALID", 2, 1)]
)
@pytest.mark.parametrize(("taps", "channels", "filters"), [(5, 1, 1), (4, 1, 1), (5, 1, 3), (4, 3, 5), (7, 3, 1)])
def test_a_line_is_convolved_along_one_axis(converted, taps, channels, filters, padding, step, rate, dynamic):
    kernel = RANDOM.normal(size=(taps, channels, filters)).astype("float32")
    signal = SIGNAL[..., :channels]

    def convolution(value):
        return tf.nn.convolution(tf.ensure_shape(value, (None, None, channels)), kernel, step, padding, dilations=rate)

    results, _ = converted(convolution, "onnx", signal, dynamic=dynamic)
    truth = tf.nn.convolution(signal.astype("float64"), kernel.astype("float64"), step, padding, dilations=rate)
    for (value,) in results:
        assert_close(value, truth, ulps=32, scale=np.abs(kernel).sum())


def ranks(folder, layer, shape):
    """Of the kernels of a layer's convolutions, as written into an ONNX file."""
    kexport.build(keras.Sequential([keras.Input(shape), layer]), folder / "bundle", formats=["onnx"])
    model = onnx.load(folder / "bundle" / "model.onnx")
    kernels = {tensor.name: len(tensor.dims) for tensor in model.graph.initializer}
    return [kernels[node.input[1]] for node in model.graph.node if node.op_type == "Conv"]


def test_where_onnxruntime_is_faster_so_alone(tmp_path):
    assert ranks(tmp_path, keras.layers.Conv1D(16, 9), (40, 1)) == [4]
    assert ranks(tmp_path, keras.layers.Conv1D(1, 5, strides=2), (40, 1)) == [4]
    assert ranks(tmp_path, keras.layers.Conv1D(4, 5, groups=2), (40, 4)) == [4]
    assert ranks(tmp_path, keras.layers.Conv1D(1, 5), (40, 1)) == [3]
    assert ranks(tmp_path, keras.layers.Conv1D(4, 9), (40, 8)) == [3]
    assert ranks(tmp_path, keras.layers.Conv1D(32, 3), (40, 4)) == [3]


def test_the_figures_are_of_what_is_chosen_and_within_the_limit():
    page = Path(__file__).parents[3] / "docs" / "convolution_lines.md"
    rows = [line.strip("| ").split(" | ") for line in page.read_text().splitlines() if re.match(r"\| \d", line)]
    assert len(rows) >= 40
    for taps, channels, filters, step, _, _, one, two, chosen, _ in rows:
        line = faster_as_line(int(taps), int(channels), int(filters), int(step))
        assert chosen == ("1-D" if line else "2-D")
        taken, fastest = float(one if line else two), min(float(one), float(two))
        assert taken <= max(1.05 * fastest, fastest + 2)

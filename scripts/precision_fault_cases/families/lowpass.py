"""A low-pass filter of 31 taps, which promises what it lets through."""

from __future__ import annotations

from precision_fault_cases._family import Family
from precision_fault_cases._integer_onnx import INTEGERS, SCALE
from precision_fault_cases._integer_tflite import RESULT
from precision_fault_cases._numbers import flushed, four_bits, one_saturated, times

FAMILY = Family("lowpass", "low-pass filter of 31 taps, with its promises", {"signal": "uniform(-5, 5)"})
_LENGTH = 64


@FAMILY.model
def make():
    import keras

    from kexport_layers import LowPassFilter

    signal = keras.Input((_LENGTH,), name="signal")
    return keras.Model(signal, LowPassFilter(31, 40.0, 360.0, name="filtered")(signal), name="lowpass")


def _onnx_output_scale(graph):
    node = graph.nodes("DequantizeLinear")[-1]
    graph.set(node, SCALE, times(2))


def _wrapping(graph):
    """The range is too small, and what is beyond begins again at the other end."""
    nodes = graph.around(graph.node("Conv").output[0])
    graph.set_both(nodes, SCALE, times(0.6))
    graph.wrap(nodes)


for _artifact in ("int8.tflite", "int16x8.tflite"):
    FAMILY.plant("scale changes in a reshape", _artifact, lambda f: f.rescale("RESHAPE", "", RESULT, times(2)))
    FAMILY.plant("range clipped to a part", _artifact, lambda f: _clipped(f, 0.3))
    FAMILY.plant("one tap saturated", _artifact, lambda f: f.change("CONV_2D", "", 1, one_saturated))
FAMILY.plant("zero point changes in a reshape", "int8.tflite", lambda f: f.shift("RESHAPE", "", RESULT, 9))
FAMILY.plant("weights of four bits", "int8.tflite", lambda f: f.change("CONV_2D", "", 1, four_bits))
FAMILY.plant("scale of the output doubled on one side", "int8.onnx", _onnx_output_scale)
FAMILY.plant("integers wrap around", "int8.onnx", _wrapping)
FAMILY.plant("one tap saturated", "int8.onnx", lambda g: g.set(g.weights("Conv", ""), INTEGERS, one_saturated))
FAMILY.plant("one tap saturated", "dynamic.onnx", lambda g: g.overwrite("ConvInteger", "", 1, one_saturated))
FAMILY.plant("scale of the weights wrong", "dynamic.onnx", lambda g: g.overwrite("Mul", "", 1, times(1.25), which=0))
FAMILY.plant("small weights flushed to zero", "float16.tflite", lambda f: f.change_half(flushed))


def _clipped(file, factor):
    """Both tensors behind the sum, which have one range."""
    file.recalibrate("CONV_2D", "", factor)
    file.recalibrate("RESHAPE", "", factor)

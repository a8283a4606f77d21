"""The low-pass filter of kexport_layers: 31 taps at 40 Hz of 360."""

from __future__ import annotations

import numpy as np

from fault_cases._family import Family
from fault_cases._values import eighths, halves, one_off, scaled, shifted

FAMILY = Family("filter", "FIR low-pass filter, 31 taps, signals of any length", {"signal": "uniform(-5, 5)"})


@FAMILY.model
def make():
    from kexport_layers.models.lowpass import lowpass

    return lowpass(31, 40.0, 360.0)


def _repeated_border(graph):
    graph.attribute("Conv", "filtered", pads=[0, 0])
    graph.after("signal", lambda g, x: g.add("Pad", x, g.constant([0, 15, 0, 15], "int64"), mode="edge"))


def _sixteen_bits(graph, signal):
    step = graph.constant(np.float32(5 / 32767))
    return graph.add("Mul", graph.add("Round", graph.add("Div", signal, step)), step)


FAMILY.onnx("one weight off by 1e-3 of its size", "filtered", lambda g: g.change("Conv", "filtered", 1, one_off(1e-3)))
FAMILY.tflite(
    "one weight off by 1e-3 of its size", "filtered", lambda f: f.change("CONV_2D", "filtered", 1, one_off(1e-3))
)
FAMILY.onnx("padding shifted by one", "filtered", lambda g: g.attribute("Conv", "filtered", pads=[16, 14]))
FAMILY.tflite("kernel shifted by one", "filtered", lambda f: f.change("CONV_2D", "filtered", 1, shifted(2)))
FAMILY.onnx("scale off by 1e-4", "filtered", lambda g: g.change("Conv", "filtered", 1, scaled(1 + 1e-4)))
FAMILY.tflite(
    "weights rounded to fewer bits", "filtered", lambda f: f.change("CONV_2D", "filtered", 1, halves), variant="float16"
)
FAMILY.tflite(
    "weights rounded to fewer bits", "filtered", lambda f: f.change("CONV_2D", "filtered", 1, eighths), variant="int8"
)
FAMILY.onnx("border repeated instead of zeros", "filtered", _repeated_border)
FAMILY.onnx(
    "clipped short of the end of the domain",
    "filtered",
    lambda g: g.after(
        "signal", lambda g, x: g.add("Clip", x, g.constant(-4.999, "float32"), g.constant(4.999, "float32"))
    ),
)
FAMILY.onnx("signal rounded to 16 bits", "filtered", lambda g: g.after("signal", _sixteen_bits))

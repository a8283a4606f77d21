"""A sequence through an LSTM, step by step."""

from __future__ import annotations

import numpy as np

from fault_cases._values import blocks
from precision_fault_cases._family import Family
from precision_fault_cases._integer_onnx import SCALE
from precision_fault_cases._integer_tflite import RESULT
from precision_fault_cases._numbers import permuted, times

# TensorFlow's converter ends on an LSTM of int16x8.
FAMILY = Family("lstm", "LSTM over a signal", {"signal": "uniform(-1, 1)"}, ("float16", "dynamic", "int8"))
_LSTM = "UNIDIRECTIONAL_SEQUENCE_LSTM"
_FORGET_BIAS, _STATE = 13, 18


@FAMILY.model
def make():
    import keras
    from keras import layers

    signal = keras.Input((12, 3), name="signal")
    steps = layers.LSTM(6, return_sequences=True, name="steps")(signal)
    return keras.Model(signal, layers.Dense(2, name="scores")(steps), name="lstm")


def _gates_swapped(file):
    _, operator = file.operator(_LSTM)
    inputs = [int(index) for index in operator.inputs]
    inputs[1], inputs[2] = inputs[2], inputs[1]
    operator.inputs = inputs


def _state_scale(file):
    graph, operator = file.operator(_LSTM)
    own = graph.tensors[int(operator.inputs[_STATE])].quantization
    own.scale = np.asarray(own.scale, np.float32) * np.float32(8)


FAMILY.plant("gates in the wrong order", "int8.tflite", _gates_swapped)
FAMILY.plant("scale of one gate wrong", "int8.tflite", lambda f: f.rescale(_LSTM, "", 3, times(2)))
FAMILY.plant("scale of a state wrong", "int8.tflite", _state_scale)
FAMILY.plant("bias lost", "int8.tflite", lambda f: f.change(_LSTM, "", _FORGET_BIAS, np.zeros_like))
FAMILY.plant("cell clipped", "int8.tflite", lambda f: f.option(_LSTM, "", cellClip=0.05))
FAMILY.plant(
    "scale changes in a reshape", "int8.tflite", lambda f: f.rescale("RESHAPE", "", RESULT, times(0.5), which=1)
)
FAMILY.plant(
    "scales of channels permuted", "int8.onnx", lambda g: g.set(g.weights("MatMul", "scores"), SCALE, permuted)
)
FAMILY.plant(
    "gates in the wrong order",
    "dynamic.onnx",
    lambda g: g.overwrite("DynamicQuantizeLSTM", "", 1, blocks(2, (1, 0, 2, 3))),
)
FAMILY.plant(
    "scales of channels permuted", "dynamic.onnx", lambda g: g.overwrite("DynamicQuantizeLSTM", "", 10, permuted)
)
FAMILY.plant("gates in the wrong order", "float16.onnx", lambda g: g.overwrite("LSTM", "", 1, blocks(1, (1, 0, 2, 3))))

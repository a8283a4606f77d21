"""Operations on bools, and integers of 8 or 16 bits or unsigned, that onnxruntime lacks: done in int32 or int64.

Sums, products and powers of two's complement do not depend on the width that they are computed in, as long as the
result is cut to its own; the others stay within it. tf2onnx pads in float32, all but the number that it pads with.
Source: Warren, Hacker's Delight, 2-1; onnxruntime's docs/OperatorKernels.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering

_OPS = (
    "Sum", "Prod", "Mean", "Cumsum", "Cumprod", "Pow", "Relu", "ArgMax", "ArgMin", "Pad", "PadV2", "MirrorPad",
    "Maximum", "Minimum", "Max", "Min",
)  # fmt: skip
_WORDS = ("int16", "uint16", "uint32")
_NARROW = ("bool", "int8", "int16", "uint8", "uint16", "uint32", "uint64")
#: The dtypes of which alone it lacks these.
_EXTREMA = {"Maximum": _WORDS[:2], "Minimum": _WORDS[:2], "Max": _WORDS, "Min": _WORDS}


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    dtype = inputs[0].dtype
    wide = tf.int64 if dtype.size > 2 else tf.int32
    x = tf.cast(inputs[0], wide)
    if op.type == "Relu":
        return [tf.cast(tf.nn.relu(x), dtype)]
    if op.type in ("Maximum", "Minimum"):
        function = tf.maximum if op.type == "Maximum" else tf.minimum
        return [tf.cast(function(x, tf.cast(inputs[1], wide)), dtype)]
    if op.type == "Pow":
        return [tf.cast(tf.pow(x, tf.cast(inputs[1], wide)), dtype)]
    if op.type == "MirrorPad":
        return [tf.cast(tf.pad(x, inputs[1], op.get_attr("mode").decode()), dtype)]
    if op.type in ("Pad", "PadV2"):
        filler = tf.cast(inputs[2], wide) if op.type == "PadV2" else 0
        return [tf.cast(tf.pad(x, inputs[1], constant_values=filler), dtype)]
    axis = inputs[1]
    if op.type in ("ArgMax", "ArgMin"):
        function = tf.argmax if op.type == "ArgMax" else tf.argmin
        return [function(x, axis, op.get_attr("output_type"))]
    if op.type in ("Cumsum", "Cumprod"):
        running = tf.cumsum if op.type == "Cumsum" else tf.math.cumprod
        result = running(x, axis, exclusive=op.get_attr("exclusive"), reverse=op.get_attr("reverse"))
    else:
        reduce = {
            "Sum": tf.reduce_sum, "Prod": tf.reduce_prod, "Mean": tf.reduce_mean,
            "Max": tf.reduce_max, "Min": tf.reduce_min,
        }[op.type]  # fmt: skip
        result = reduce(x, axis, keepdims=op.get_attr("keep_dims"))
    return [tf.cast(result, dtype)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return inputs[0].dtype.name in _EXTREMA.get(op.type, _NARROW)


LOWERING = Lowering("narrow_integers_onnx", ("onnx",), _OPS, _emit, _applies)

"""Whether a flag that was cast to a number is below 0, in TFLite: no flag is.

The converter knows it too, and writes zeros of the flags' own type, which TFLite has not: no file is written.
Source: comparison of 0 and 1 with 0; `tfl.zeros_like` takes float32, int32 and int64 alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering

#: Where the flags stand in a comparison, and what it is for every flag.
_FLAGS_AND_ANSWER = {"Less": (0, False), "GreaterEqual": (0, True), "Greater": (1, False), "LessEqual": (1, True)}


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    place, answer = _FLAGS_AND_ANSWER[op.type]
    flags, all_alike = inputs[place].op.inputs[0], tf.fill(inputs[1 - place].shape, answer)
    return [tf.logical_or(flags, all_alike) if answer else tf.logical_and(flags, all_alike)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    import tensorflow as tf

    place, _ = _FLAGS_AND_ANSWER[op.type]
    cast = inputs[place].op
    if cast.type != "Cast" or cast.inputs[0].dtype.name != "bool":
        return False
    zeros = tf.get_static_value(inputs[1 - place])
    return zeros is not None and bool((zeros == 0).all())


LOWERING = Lowering("sign_of_flags_tflite", ("tflite",), tuple(_FLAGS_AND_ANSWER), _emit, _applies)

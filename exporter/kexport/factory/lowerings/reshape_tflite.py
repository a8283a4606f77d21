"""Reshapes to computed sizes of which one at most is not known, in TFLite: to sizes that are constants, and -1.

A computed shape makes a tensor whose memory the interpreter allocates while it runs, and what comes after it another
part of the graph for a delegate: XNNPACK's results were wrong there once, after the batch had changed.
Source: measured, ai-edge-litert 2.3.0.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    return [tf.reshape(inputs[0], [-1 if size is None else size for size in op.outputs[0].shape.as_list()])]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    """Whether sizes are computed, and are known but for one; with a size of 0 any other size would do."""
    import tensorflow as tf

    shape = op.outputs[0].shape
    if shape.rank is None or tf.get_static_value(inputs[1]) is not None:
        return False
    sizes = shape.as_list()
    return sizes.count(None) <= 1 and 0 not in sizes


LOWERING = Lowering("reshape_tflite", ("tflite",), ("Reshape",), _emit, _applies)

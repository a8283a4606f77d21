"""Running products, which TFLite lacks: each step multiplies by the neighbour at twice the distance.

After the step of distance s, each place holds the product of the 2 s places that end with it; ceil(log2 n) steps are
enough for n places. `exclusive` moves the ones in first; `reverse` turns the axis before and after.
Source: Hillis and Steele, Data parallel algorithms, Communications of the ACM 29, 1986.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Size, Tensor
from kexport.factory.lowerings._rule import Lowering


def _moved(x: Tensor, axis: int, distance: Size) -> Tensor:
    """Ones first, then what was there, but for the last `distance` places."""
    import tensorflow as tf

    paddings: list[list[Size]] = [[0, 0]] * x.shape.rank
    paddings[axis] = [distance, 0]
    padded = tf.pad(x, paddings, constant_values=tf.ones([], x.dtype))
    return tf.slice(padded, [0] * x.shape.rank, tf.shape(x))


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, axis = inputs[0], int(tf.get_static_value(inputs[1])) % inputs[0].shape.rank
    shape, length = x.shape, x.shape[axis]
    x = tf.reverse(x, [axis]) if op.get_attr("reverse") else x
    x = _moved(x, axis, 1) if op.get_attr("exclusive") else x
    if length is not None:
        for power in range((length - 1).bit_length()):
            x = x * _moved(x, axis, 2**power)
    else:
        size = tf.shape(x)[axis]
        _, x = tf.while_loop(
            lambda distance, _: distance < size,
            lambda distance, value: (distance * 2, value * _moved(value, axis, distance)),
            (tf.constant(1), x),
            (tf.TensorShape([]), shape),
        )
    return [tf.reverse(x, [axis]) if op.get_attr("reverse") else x]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    import tensorflow as tf

    return bool(inputs[0].shape.rank) and tf.get_static_value(inputs[1]) is not None


LOWERING = Lowering("cumprod_tflite", ("tflite",), ("Cumprod",), _emit, _applies)

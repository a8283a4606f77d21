"""An asserted shape, which TFLite has no operator for: a reshape to it, or nothing where the shape is known.

The reshape takes the sizes that are asserted as numbers, and the others from the tensor. A tensor of another shape
fails in it, unless it has as many elements.
Source: TensorFlow, documentation of tf.ensure_shape.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    (x,) = inputs
    shape = tf.TensorShape(op.get_attr("shape")).merge_with(x.shape)
    if shape.rank is None or (x.shape.rank is not None and x.shape.as_list() == shape.as_list()):
        return [tf.identity(x)]
    dynamic = tf.shape(x)
    return [tf.reshape(x, tf.stack([dynamic[axis] if size is None else size for axis, size in enumerate(shape)]))]


LOWERING = Lowering("ensure_shape_tflite", ("tflite",), ("EnsureShape",), _emit)

"""Resizing of integers: TFLite resizes floats alone, and ONNX gives integers for integers where TensorFlow does not.

Integers are cast first, as TensorFlow's bilinear kernel does; every integer of 16 bits is a float32, and the nearest
one is cast back.
Source: TensorFlow, documentation of tf.raw_ops.ResizeBilinear and ResizeNearestNeighbor.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    import tensorflow as tf

    dtype = inputs[0].dtype
    return bool(dtype != tf.float32 and (op.type == "ResizeBilinear" or (dtype.is_integer and dtype.size <= 2)))


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    images, size = inputs
    options = {name: op.get_attr(name) for name in ("align_corners", "half_pixel_centers")}
    resized = getattr(tf.raw_ops, op.type)(images=tf.cast(images, tf.float32), size=size, **options)
    return [tf.cast(resized, op.outputs[0].dtype)]


LOWERING = Lowering("resize_integers", ("onnx", "tflite"), ("ResizeBilinear", "ResizeNearestNeighbor"), _emit, _applies)

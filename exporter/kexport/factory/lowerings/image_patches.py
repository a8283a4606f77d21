"""Patches of images and volumes as slices: one of each row of a patch, one of each column.

A patch has k places along an axis, r apart, and the patches begin s apart: place i of all patches is the slice from
i * r on, in steps of s. The borders of SAME are those of a convolution of the same kernel.
Source: TensorFlow, documentation of tf.image.extract_patches and of tf.extract_volume_patches.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings import _convolution
from kexport.factory.lowerings._diagonal import sizes
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    x, layout = inputs[0], _convolution.Axes(inputs[0].shape.rank - 2, first=False)
    taps, steps = (layout.of_space(op.get_attr(name)) for name in ("ksizes", "strides"))
    rates = layout.of_space(op.get_attr("rates")) if op.type == "ExtractImagePatches" else [1] * layout.spatial
    reach = [(count - 1) * rate + 1 for count, rate in zip(taps, rates, strict=True)]
    channels = x.shape[-1]
    if op.get_attr("padding") == b"SAME":
        pads = [(0, 0), *_convolution.same_pads(x, layout, reach, steps), (0, 0)]
        x = tf.pad(x, tf.stack([tf.stack(pair) for pair in pads]))
        x.set_shape([*[None] * (layout.spatial + 1), channels])
    for axis in range(layout.spatial):
        x = _along(x, axis + 1, [place * rates[axis] for place in range(taps[axis])], steps[axis], reach[axis])
    # The last axis has the places of the last axis of space outermost, and those of the first behind them.
    order = [0, *range(layout.spatial, 0, -1), layout.spatial + 1]
    places = tf.transpose(tf.reshape(x, [-1, *reversed(taps), channels]), order)
    patches = tf.reshape(places, tf.stack([*sizes(x)[:-1], x.shape[-1]]))
    patches.set_shape(op.outputs[0].shape)
    return [patches]


def _along(x: Tensor, axis: int, places: Sequence[int], step: int, reach: int) -> Tensor:
    """The slices from each of these places on, one behind the other in the channels."""
    import tensorflow as tf

    count = (sizes(x)[axis] - reach) // step + 1
    begin, whole = [0] * x.shape.rank, [1] * x.shape.rank
    keep = sum(1 << other for other in range(x.shape.rank) if other != axis)
    slices = []
    for place in places:
        begin[axis], whole[axis] = place, step
        end = [0] * axis + [place + (count - 1) * step + 1] + [0] * (x.shape.rank - axis - 1)
        slices.append(tf.strided_slice(x, begin, tf.stack(end), whole, begin_mask=keep, end_mask=keep))
    return tf.concat(slices, -1)


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return inputs[0].shape.rank is not None and inputs[0].shape[-1] is not None


LOWERING = Lowering(
    "image_patches", ("onnx", "tflite"), ("ExtractImagePatches", "ExtractVolumePatches"), _emit, _applies
)

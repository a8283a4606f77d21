"""Convolutions in TFLite: channels last, dilated natively, and groups of 3-D ones one by one.

TFLite's CONV_2D, DEPTHWISE_CONV_2D and CONV_3D know one order of axes; the first two know groups. A transposition
before and one after give the other order. Moving space into the batch, which is how dilation is traced, is left
out, and the convolution gets the dilation itself. A grouped convolution is, by definition, one convolution for each
slice of the channels.
Source: TensorFlow, documentation of tf.nn.convolution; `_convolution.py` for the dilation.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings import _convolution
from kexport.factory.lowerings._rule import Lowering


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    if op.type in ("SpaceToBatchND", "BatchToSpaceND"):
        return _convolution.dilated(op) is not None
    return _convolution.axes(op).first or _groups(op, inputs) > 1 or _convolution.dilated(op) is not None


def _groups(op: Operation, inputs: Sequence[Tensor]) -> int:
    """Of a 3-D convolution: how often its kernel fits into the channels."""
    if op.type != "Conv3D":
        return 1
    return int(inputs[0].shape[_convolution.axes(op).channel] or 1) // int(inputs[1].shape[-2] or 1) or 1


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    if op.type in ("SpaceToBatchND", "BatchToSpaceND"):
        return [inputs[0]]
    import tensorflow as tf

    x, kernel = inputs
    layout, dilated = _convolution.axes(op), _convolution.dilated(op)
    strides = layout.of_space(op.get_attr("strides"))
    rates = dilated.rates if dilated else layout.of_space(op.get_attr("dilations"))
    padding = op.get_attr("padding").decode()
    if dilated and any(map(any, dilated.pads)):
        padding = "SAME"
    if layout.first:
        x = tf.transpose(x, layout.to_last)
    if padding == "EXPLICIT":
        pads = op.get_attr("explicit_paddings")
        x = tf.pad(x, [(0, 0), *zip(layout.of_space(pads[::2]), layout.of_space(pads[1::2]), strict=True), (0, 0)])
        padding = "VALID"
    y = _convolved(op, x, kernel, (strides, padding, rates), _groups(op, inputs))
    return [tf.transpose(y, layout.to_first) if layout.first else y]


def _convolved(op: Operation, x: Tensor, kernel: Tensor, how: tuple[list[int], str, list[int]], groups: int) -> Tensor:
    import tensorflow as tf

    if groups > 1:
        parts = zip(tf.split(x, groups, -1), tf.split(kernel, groups, -1), strict=True)
        return tf.concat([_convolved(op, part, part_kernel, how, 1) for part, part_kernel in parts], -1)
    strides, padding, rates = how
    options = {"strides": [1, *strides, 1], "padding": padding, "dilations": [1, *rates, 1]}
    return getattr(tf.raw_ops, op.type)(input=x, filter=kernel, **options)


LOWERING = Lowering(
    "convolution_tflite",
    ("tflite",),
    (*_convolution.OPS, "SpaceToBatchND", "BatchToSpaceND"),
    _emit,
    _applies,
    inner=_convolution.inside_dilated,
)

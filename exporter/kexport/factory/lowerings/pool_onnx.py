"""Pooling in ONNX with SAME padding, dynamic sizes and a stride longer than the window: explicit padding.

tf2onnx writes `auto_pad`, with which ONNX Runtime fails there. Padding becomes an operation of its own: with the
lowest number for a maximum; for a mean with zeros, and the mean is divided by that of ones padded alike, which is the
share of the window that lies inside.
Source: TensorFlow, documentation of tf.nn.max_pool and tf.nn.avg_pool ("SAME").
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings import _convolution
from kexport.factory.lowerings._rule import Lowering


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    layout = _convolution.axes(op)
    steps = zip(op.get_attr("strides"), op.get_attr("ksize"), strict=True)
    dynamic = None in layout.of_space(list(inputs[0].shape))
    return op.get_attr("padding") == b"SAME" and dynamic and any(step > size for step, size in steps)


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    (x,) = inputs
    layout = _convolution.axes(op)
    window, steps = (layout.of_space(op.get_attr(name)) for name in ("ksize", "strides"))
    pads = _convolution.same_pads(x, layout, window, steps)

    def pooled(values: Tensor, filler: float) -> Tensor:
        name = "value" if op.type == "AvgPool" else "input"
        options = {name: _convolution.padded(values, layout, pads, filler)}
        options |= {key: op.get_attr(key) for key in ("ksize", "strides")}
        options["data_format"] = op.get_attr("data_format").decode()
        return getattr(tf.raw_ops, op.type)(**options, padding="VALID")

    if op.type.startswith("Max"):
        return [pooled(x, x.dtype.min)]
    return [pooled(x, 0) / pooled(tf.ones_like(x), 0)]


LOWERING = Lowering("pool_onnx", ("onnx",), ("MaxPool", "AvgPool", "MaxPool3D", "AvgPool3D"), _emit, _applies)

"""A bias along the last axis of a convolution whose channels are the first: an addition in ONNX.

Keras adds a bias along the last axis wherever that has as many elements; tf2onnx makes it the convolution's own bias,
which is one for each channel.
Source: Keras, `backend/tensorflow/numpy.py`, `add`; tf2onnx, `rewriter/conv2d_with_add_rewriter.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    return [inputs[0] + inputs[1]]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    source = op.inputs[0].op
    layouts = [each.get_attr("data_format") for each in (op, source) if "data_format" in each.node_def.attr]
    return len(layouts) == 2 and layouts[0] == b"NHWC" and layouts[1].startswith(b"NC")


LOWERING = Lowering("bias_onnx", ("onnx",), ("BiasAdd",), _emit, _applies)

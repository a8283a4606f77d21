"""Lists of tensors in loops that tf2onnx' patterns do not fit: one tensor each, an item of which ScatterND writes.

Where the patterns fit, the loop scans, which copies less; so this is asked for by name, after they have failed.
`_tensor_list.py` has the rest.
Source: https://onnx.ai/onnx/operators/onnx__ScatterND.html.
"""

from __future__ import annotations

from kexport.factory.graph.protocols import Tensor
from kexport.factory.lowerings._rule import Lowering
from kexport.factory.lowerings._tensor_list import OPS, applies, emitting


def _update(items: Tensor, index: Tensor, item: Tensor) -> Tensor:
    import tensorflow as tf

    return tf.tensor_scatter_nd_update(items, tf.reshape(index, (1, 1)), tf.expand_dims(item, 0))


LOWERING = Lowering("tensor_list_onnx", (), OPS, emitting(_update), applies)

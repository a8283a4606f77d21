"""The largest elements, selected approximately: the exact ones, as TensorFlow takes on a CPU.

Source: TensorFlow, documentation of tf.math.approx_max_k: it is exact where there is no accelerator for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    return [*tf.math.top_k(inputs[0], op.get_attr("k"))]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return op.get_attr("is_max_k") and op.get_attr("reduction_dimension") == -1


LOWERING = Lowering("approx_top_k_onnx", ("onnx",), ("ApproxTopK",), _emit, _applies)

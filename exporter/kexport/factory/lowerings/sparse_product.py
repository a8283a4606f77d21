"""Products of a sparse matrix and a dense one, which both converters lack: the sparse one is written out.

Source: TensorFlow, documentation of tf.sparse.sparse_dense_matmul.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    indices, values, shape, dense = inputs
    whole = tf.scatter_nd(tf.cast(indices, tf.int32), values, tf.cast(shape, tf.int32))
    turned = {name: op.get_attr(f"adjoint_{name[-1]}") for name in ("transpose_a", "transpose_b")}
    return [tf.matmul(whole, dense, **turned)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    return inputs[1].dtype.name == "float32"


LOWERING = Lowering("sparse_product", ("onnx", "tflite"), ("SparseTensorDenseMatMul",), _emit, _applies)

"""Constant folding during emission: an operation on weights alone is computed, and its result becomes a constant.

Converters fold constants too, but not everything (not a singular value decomposition), not always (TFLite's keeps most
operations), and once an operation has been replaced by many it is too late. So are axes and orders computed, which
converters want as constants: those of a logarithm of a softmax along an inner axis follow from a rank.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.bundle.signature import Array
from kexport.factory.graph.protocols import Operation, Tensor

_MOST_GROWTH = 4  # times the elements that go in: a constant must not make an artifact large
_SMALL = 1 << 10
_MOST_AXES = 64  # elements of a list of axes or sizes


class FoldedWeights:
    """Knows which tensors of the new graph are weights, or follow from weights alone."""

    def __init__(self) -> None:
        self._values: dict[str, Array] = {}

    def weight(self, tensor: Tensor, value: Array) -> Tensor:
        """Record that a tensor has this value, if it is a constant of numbers; returns the tensor."""
        import numpy as np

        if tensor.op.type == "Const" and np.asarray(value).dtype.kind in "fiub":
            self._values[tensor.name] = value
        return tensor

    def fold(self, op: Operation, inputs: Sequence[object], name: str) -> list[Tensor] | None:
        """The outputs of an operation on weights, as constants; None when it is none, or they would be too large.

        Args:
            op: the operation in the traced graph.
            inputs: what stands for its inputs in the new graph.
            name: the name of the new constants.
        """
        import numpy as np
        import tensorflow as tf

        tensors: list[Tensor] = [value for value in inputs if isinstance(value, tf.Tensor)]
        if not inputs or len(tensors) < len(inputs) or op.op_def.is_stateful:
            return None
        of_weights = any(tensor.name in self._values for tensor in tensors)
        if not of_weights and not all(map(_of_axes, (*tensors, *op.outputs))):
            return None
        values = [self._value(tensor) for tensor in tensors]
        constants = [value for value in values if value is not None]
        if len(constants) < len(values):
            return None
        results = computed(op, constants)
        if results is None or any(result.dtype.kind not in "fiub" for result in results):
            return None
        size = sum(np.asarray(value).size for value in constants)
        if sum(result.size for result in results) > max(_SMALL, _MOST_GROWTH * size):
            return None
        return [
            self.weight(tf.constant(result, name=name if index == 0 else f"{name}_{index}"), result)
            for index, result in enumerate(results)
        ]

    def _value(self, tensor: Tensor) -> Array | None:
        import tensorflow as tf

        if tensor.name in self._values:
            return self._values[tensor.name]
        return tf.get_static_value(tensor) if tensor.op.type == "Const" else None


def _of_axes(tensor: Tensor) -> bool:
    """Whether a tensor may be a list of axes or sizes, or one of them."""
    count = tensor.shape.num_elements()
    return tensor.dtype.name in ("int32", "int64") and count is not None and count <= _MOST_AXES


def computed(op: Operation, values: Sequence[Array]) -> list[Array] | None:
    """What an operation of the traced graph gives for these values; None where it cannot be computed here."""
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        inputs = [tf.constant(value) for value in values]
        declared = {attr.name for attr in op.op_def.attr}
        attrs = {key: value for key, value in op.node_def.attr.items() if key in declared}
        copy = graph.create_op(op.type, inputs, [t.dtype for t in op.outputs], attrs=attrs, op_def=op.op_def)
        if any(attr.HasField("func") for attr in attrs.values()):
            return None  # it calls a function of another graph
        with tf.compat.v1.Session(graph=graph) as session:
            try:
                return list(session.run(list(copy.outputs)))
            except tf.errors.OpError:
                return None

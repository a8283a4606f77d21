"""Operations on weights alone are computed while a graph is emitted: what a layer makes of its weights is a constant.

Converters fold constants too, but not everything (a singular value decomposition), not always (TFLite keeps most), and
after an operation was replaced by many it is too late.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_MOST_GROWTH = 4  # times the elements that go in: a constant must not make an artifact large
_SMALL = 1 << 10


class Folding:
    """Knows which tensors of the new graph are weights, or follow from weights alone."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}

    def weight(self, made: Any, value: Any) -> Any:
        """A constant of this value stands for a weight; returns it."""
        import numpy as np

        if made.op.type == "Const" and np.asarray(value).dtype.kind in "fiub":
            self._known[made.name] = value
        return made

    def fold(self, op: Any, inputs: Sequence[Any], name: str) -> list[Any] | None:
        """The outputs of an operation on weights, as constants; None when it is none, or they would be too large.

        Args:
            op: of the traced graph.
            inputs: what stands for its inputs in the new graph.
            name: of the new constants.
        """
        import numpy as np
        import tensorflow as tf

        if not inputs or not all(isinstance(made, tf.Tensor) for made in inputs) or op.op_def.is_stateful:
            return None
        if not any(made.name in self._known for made in inputs):
            return None
        values = [self._known[made.name] if made.name in self._known else _constant(made) for made in inputs]
        if any(value is None for value in values):
            return None
        found = _computed(op, values)
        if found is None or any(value.dtype.kind not in "fiub" for value in found):
            return None
        size = sum(np.asarray(value).size for value in values)
        if sum(value.size for value in found) > max(_SMALL, _MOST_GROWTH * size):
            return None
        return [
            self.weight(tf.constant(value, name=name if index == 0 else f"{name}_{index}"), value)
            for index, value in enumerate(found)
        ]


def _constant(made: Any) -> Any:
    import tensorflow as tf

    return tf.get_static_value(made) if made.op.type == "Const" else None


def _computed(op: Any, values: Sequence[Any]) -> list[Any] | None:
    """What the operation gives for these values, eagerly; None where it cannot be computed here."""
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        given = [tf.constant(value) for value in values]
        known = {attr.name for attr in op.op_def.attr}
        attrs = {key: value for key, value in op.node_def.attr.items() if key in known}
        made = graph.create_op(op.type, given, [t.dtype for t in op.outputs], attrs=attrs, op_def=op.op_def)
        if any(attr.HasField("func") for attr in attrs.values()):
            return None  # it calls a function of another graph
        with tf.compat.v1.Session(graph=graph) as session:
            try:
                return list(session.run(list(made.outputs)))
            except tf.errors.OpError:
                return None

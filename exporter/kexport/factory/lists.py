"""TensorFlow's lists of tensors as one tensor each, whose first axis counts the items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Reserved:
    """A list that has been reserved, whose items' shape only the first write will tell.

    Attributes:
        count: of items, a tensor.
        dtype: of the items.
    """

    count: Any
    dtype: Any

    def dense(self, item_shape: Any) -> Any:
        """The tensor that holds the list: zeros, until items are written."""
        return zeros(self.count, item_shape, self.dtype)


def zeros(count: Any, item_shape: Any, dtype: Any) -> Any:
    """`count` items of zeros; the shape of an item is a list of sizes, numbers and tensors."""
    import tensorflow as tf

    static = tf.get_static_value(count)
    sizes = [count if static is None else int(static), *item_shape]
    if all(isinstance(size, int) for size in sizes):
        return tf.zeros(sizes, dtype)
    made = tf.fill(tf.stack(sizes), tf.zeros((), dtype))
    made.set_shape([size if isinstance(size, int) else None for size in sizes])
    return made


def written(variable: Any) -> Any:
    """The item that the body of a loop writes to a list it carries; None where it is not found."""
    for op in variable.consumers():
        if op.type == "Identity":
            found = written(op.outputs[0])
            if found is not None:
                return found
        if op.type in ("TensorListSetItem", "TensorListPushBack"):
            return op.inputs[2 if op.type == "TensorListSetItem" else 1]
    return None


def used(graph_def: Any) -> bool:
    """Whether a graph, or a function of its library, has lists of tensors."""
    nodes = [graph_def.node, *(function.node_def for function in graph_def.library.function)]
    return any(node.op.startswith("TensorList") for group in nodes for node in group)

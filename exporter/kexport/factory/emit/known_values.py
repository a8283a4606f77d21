"""Small values that constants alone determine, written into the bodies of loops and branches that take them.

A body takes what it uses from around it as arguments, so that an axis computed there is no constant inside, where
converters ask for one. TensorFlow's `tf.get_static_value` gives up at most operations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kexport.bundle.signature import Array
from kexport.factory.emit.folded_weights import computed
from kexport.factory.graph.protocols import Graph, Tensor

_MOST = 64  # elements; what axes, sizes and permutations take
_DEEPEST = 32


def known(given: Sequence[object]) -> dict[int, Array]:
    """The values of the tensors that are small, integers or bools, and follow from constants, by their places."""
    import tensorflow as tf

    tensors = {place: value for place, value in enumerate(given) if isinstance(value, tf.Tensor)}
    values = {place: _value(tensor, _DEEPEST) for place, tensor in tensors.items()}
    return {place: value for place, value in values.items() if value is not None}


def invariant(body: Graph, values: Mapping[int, Array]) -> dict[int, Array]:
    """Those of the variables of a loop that its body gives back as it got them."""
    return {place: value for place, value in values.items() if _source(body.outputs[place]) is body.inputs[place]}


def counts_steps(body: Graph, condition: Graph, values: Mapping[int, Array]) -> bool:
    """Whether the first two variables of a loop are the count of its steps and their limit, or -1 for none.

    Those of `tf.while_loop` are. A `tf.raw_ops.While` may count down, from elsewhere, or not at all.

    Args:
        body: of the loop.
        condition: of the loop.
        values: of variables before the first step, as far as they are known.
    """
    import tensorflow as tf

    if len(body.inputs) < 2 or values.get(0) != 0 or _source(body.outputs[1]) is not body.inputs[1]:
        return False
    step = _source(body.outputs[0]).op
    if step.type not in ("Add", "AddV2") or not any(_source(each) is body.inputs[0] for each in step.inputs):
        return False
    ones = [tf.get_static_value(each) for each in step.inputs]
    if not any(each is not None and each.ndim == 0 and each == 1 for each in ones):
        return False
    count, limit = condition.inputs[:2]
    return values.get(1) == -1 or any(
        op.type == "Less" and _source(op.inputs[0]) is count and _source(op.inputs[1]) is limit
        for op in condition.get_operations()
    )


def _value(tensor: Tensor, depth: int) -> Array | None:
    import tensorflow as tf

    op = tensor.op
    if (
        not (tensor.dtype.is_integer or tensor.dtype.name == "bool")
        or (tensor.shape.num_elements() or _MOST + 1) > _MOST
    ):
        return None
    if op.type == "Const":
        return tf.get_static_value(tensor)
    if not depth or not op.inputs or op.op_def is None or op.op_def.is_stateful:
        return None
    values = []
    for given in op.inputs:
        value = _value(given, depth - 1)
        if value is None:
            return None
        values.append(value)
    results = computed(op, values)
    return None if results is None else results[tensor.value_index]


def _source(tensor: Tensor) -> Tensor:
    while tensor.op.type == "Identity":
        tensor = tensor.op.inputs[0]
    return tensor

"""A graph that is run operation by operation, as if it were code that runs eagerly.

A function that TensorFlow loaded from a SavedModel runs as one: what looks at operations, or moves their results, sees
nothing inside. Calls, loops and branches are followed into their functions.

In double precision too: an operation that has no kernel for it gets single precision and gives it, but for those
whose formulas are known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kexport.bundle.signature import Array
from kexport.factory.graph.protocols import DType, Operation
from kexport.factory.trace.protocols import CoreFunction
from kexport.factory.truth.formulas import by_formula
from kexport.factory.truth.graph_twin import wide

_CALLS = ("PartitionedCall", "StatefulPartitionedCall")
_LOOPS = ("While", "StatelessWhile")
_BRANCHES = ("If", "StatelessIf")
_MOST_OPERATIONS = 100_000  # of one evaluation: some seconds
_READS = frozenset(("ReadVariableOp", "ResourceGather"))  # of variables, which stay in single precision: exact
_OF_VERSION_1 = ("Enter", "Merge", "Switch", "NextIteration", "Exit", "LoopCond")


class EagerFunction:
    """The function from flat inputs to flat outputs; a call may raise anything: some operations run in graphs alone.

    Args:
        core: the traced function.
        double: whether real and complex numbers inside are in double precision.
    """

    def __init__(self, core: CoreFunction, *, double: bool = False) -> None:
        import tensorflow as tf

        definition, named = core.graph.as_graph_def(), tf.Graph()
        with named.as_default():  # gradients change the calls in a graph that they are taken of, and give it outputs
            tf.graph_util.import_graph_def(definition, name="")
        wanted = core.graph.outputs[: len(tf.nest.flatten(core.structured_outputs))]
        self._inputs = [named.get_tensor_by_name(tensor.name) for tensor in core.graph.inputs]
        self._outputs = [named.get_tensor_by_name(tensor.name) for tensor in wanted]
        self._captured = [outer for outer, _ in core.graph.captures]
        self._double = _Double() if double else None
        self._run = _Run(definition, self._double)

    @property
    def single(self) -> list[str]:
        """The types of operations that were called in double precision and have no kernel for it."""
        return sorted(self._double.without_kernel) if self._double else []

    def __call__(self, flat: Sequence[Array]) -> list[Array]:
        """The outputs for flat inputs."""
        import tensorflow as tf

        dtypes = [_wide(given.dtype) if self._double else given.dtype for given in self._inputs]
        values = [tf.constant(array, dtype) for array, dtype in zip(flat, dtypes, strict=False)]
        results = self._run.evaluated(self._inputs, [*values, *self._captured], self._outputs)
        return [np.asarray(value.numpy()) for value in results]


def _wide(dtype: DType) -> DType:
    """A dtype in double precision; of what is not real or complex, itself."""
    import tensorflow as tf

    widened: DType = tf.as_dtype(wide(dtype.as_datatype_enum))
    return widened


class _Run:
    """Evaluates a graph, and the functions that it calls.

    Args:
        definition: of the graph; it has those of the functions.
        double: runs operations in double precision, if they are to be.
    """

    def __init__(self, definition: Any, double: _Double | None) -> None:
        self._double, self._execute = double, double.executed if double else _executed
        self._library = {each.signature.name: each for each in definition.library.function}
        self._bodies: dict[str, Any] = {}
        self._orders: dict[str, list[Operation]] = {}
        self._left = 0

    def evaluated(self, inputs: Sequence[Any], values: Sequence[Any], wanted: Sequence[Any]) -> list[Any]:
        """The values of tensors of the graph for those of its inputs.

        Raises:
            ValueError: that takes too many operations, or the graph has loops of TensorFlow 1.
        """
        self._left = _MOST_OPERATIONS
        return self._outputs("", inputs, values, wanted)

    def _outputs(self, name: str, inputs: Sequence[Any], values: Sequence[Any], wanted: Sequence[Any]) -> list[Any]:
        """Likewise, of the graph or of a function by its name."""
        known = {_key(tensor): value for tensor, value in zip(inputs, values, strict=True)}
        if not wanted:
            return []
        if name not in self._orders:
            self._orders[name] = _ordered(wanted)
        self._left -= len(self._orders[name])
        if self._left < 0:
            raise ValueError(f"more than {_MOST_OPERATIONS} operations: a loop is long")
        for op in self._orders[name]:
            if any(_key(tensor) not in known for tensor in op.outputs):
                given = [known[_key(tensor)] for tensor in op.inputs]
                known |= {_key(tensor): value for tensor, value in zip(op.outputs, self._made(op, given), strict=True)}
        return [known[_key(tensor)] for tensor in wanted]

    def _made(self, op: Operation, given: Sequence[Any]) -> Sequence[Any]:
        import tensorflow as tf

        if op.type == "Const":
            value, dtype = tf.get_static_value(op.outputs[0]), op.outputs[0].dtype
            return [tf.constant(value, _wide(dtype) if self._double else dtype)]
        if op.type in _CALLS:
            return self._called(op.get_attr("f").name, given)
        if op.type in _LOOPS:
            state = list(given)
            while bool(self._called(op.get_attr("cond").name, state)[0]):
                state = list(self._called(op.get_attr("body").name, state))
            return state
        if op.type in _BRANCHES:
            branch = "then_branch" if bool(given[0]) else "else_branch"
            return self._called(op.get_attr(branch).name, given[1:])
        return self._execute(op, given)

    def _called(self, name: str, given: Sequence[Any]) -> Sequence[Any]:
        from tensorflow.python.framework.function_def_to_graph import function_def_to_graph

        if name not in self._bodies:
            self._bodies[name] = function_def_to_graph(self._library[name])
        body = self._bodies[name]
        return self._outputs(name, body.inputs, given, body.outputs)


def _key(tensor: Any) -> tuple[str, int]:
    """What identifies a tensor in its graph."""
    return tensor.op.name, tensor.value_index


def _ordered(wanted: Sequence[Any]) -> list[Operation]:
    """The operations that tensors depend on, each after those that it takes."""
    order: dict[str, Operation] = {}
    waiting = [tensor.op for tensor in reversed(wanted)]
    while waiting:
        op = waiting[-1]
        if op.type in _OF_VERSION_1:
            raise ValueError(f"{op.name} is part of a loop or a branch of TensorFlow 1, whose operations have no order")
        before = [tensor.op for tensor in op.inputs if tensor.op.name not in order]
        if op.name in order or not before:
            order.setdefault(op.name, waiting.pop())
        else:
            waiting += before
    return list(order.values())


def _executed(op: Operation, given: Sequence[Any], typed: Callable[[Any], Any] = lambda dtype: dtype) -> Sequence[Any]:
    """The results of one operation, run eagerly; `typed` gives the dtypes that its settings name."""
    from tensorflow.python.eager import context, execute

    settings: list[object] = []
    for attribute in op.op_def.attr:
        if attribute.name in op.node_def.attr:
            settings += [attribute.name, _setting(op.get_attr(attribute.name), typed)]
    run = execute.execute_with_callbacks if context.context().op_callbacks else execute.execute
    return list(run(op.type, len(op.outputs), list(given), tuple(settings), context.context()))


class _Double:
    """Runs operations in double precision.

    Attributes:
        without_kernel: the types of those that it ran in single precision.
    """

    def __init__(self) -> None:
        self.without_kernel: set[str] = set()

    def executed(self, op: Operation, given: Sequence[Any]) -> Sequence[Any]:
        """The results of one operation."""
        import tensorflow as tf

        results = by_formula(op, given)
        if results is not None:
            return results
        if op.type not in self.without_kernel | _READS:
            try:
                return self._widened(_executed(op, given, _wide))
            except (tf.errors.InvalidArgumentError, tf.errors.NotFoundError, tf.errors.UnimplementedError):
                self.without_kernel.add(op.type)
        pairs = zip(given, op.inputs, strict=True)
        single = [value if value.dtype == own.dtype else tf.cast(value, own.dtype) for value, own in pairs]
        return self._widened(_executed(op, single))

    def _widened(self, values: Sequence[Any]) -> Sequence[Any]:
        import tensorflow as tf

        return [value if _wide(value.dtype) == value.dtype else tf.cast(value, _wide(value.dtype)) for value in values]


def _setting(value: Any, typed: Callable[[Any], Any]) -> object:
    """A setting of an operation, as one that runs eagerly takes it."""
    import tensorflow as tf

    if isinstance(value, list):
        return [_setting(each, typed) for each in value]
    if isinstance(value, tf.DType):
        return typed(value).as_datatype_enum
    if value.__class__.__name__ == "TensorShapeProto":
        return None if value.unknown_rank else [size.size for size in value.dim]
    return value

"""TensorFlow's lists of tensors as one tensor each, whose first axis counts the items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kexport.factory.graph.protocols import DType, FunctionDef, GraphDef, NodeDef, Operation, Size, Tensor
from kexport.factory.trace.state import origin

BRANCHES = ("If", "StatelessIf", "Case", "StatelessCase")
LOOPS = ("While", "StatelessWhile")
CALLS = ("PartitionedCall", "StatefulPartitionedCall")
_UNSCANNED = ("EmptyTensorList", "TensorListPushBack", "TensorListConcatV2", "TensorListScatterIntoExistingList")
#: The place of the item among the inputs of what writes one.
WRITES = {"TensorListSetItem": 2, "TensorListPushBack": 1}


@dataclass(frozen=True)
class Reserved:
    """A list that has been reserved; the shape of its items is known from the first write on.

    Attributes:
        count: the number of items, a tensor.
        dtype: the dtype of the items.
    """

    count: Tensor
    dtype: DType

    def dense(self, item_shape: Sequence[Size]) -> Tensor:
        """The tensor that holds the list: zeros, until items are written."""
        return zeros(self.count, item_shape, self.dtype)


def zeros(count: Tensor, item_shape: Sequence[Size], dtype: DType) -> Tensor:
    """`count` items of zeros; the shape of an item is a list of sizes, numbers and tensors."""
    import tensorflow as tf

    static = tf.get_static_value(count)
    sizes = [count if static is None else int(static), *item_shape]
    if all(isinstance(size, int) for size in sizes):
        return tf.zeros(sizes, dtype)
    filled = tf.fill(tf.stack(sizes), tf.zeros((), dtype))
    filled.set_shape([size if isinstance(size, int) else None for size in sizes])
    return filled


def written(variable: Tensor) -> Iterator[tuple[Operation, Tensor | None]]:
    """The operations that write items to a list, each with the item; None for those whose functions may write."""
    for op in variable.consumers():
        if op.type == "Identity":
            yield from written(op.outputs[0])
        elif op.type in WRITES:
            yield op, op.inputs[WRITES[op.type]]
        elif functions_of(op):
            yield op, None


def functions_of(op: Operation) -> list[str]:
    """The functions that get an operation's inputs: the body of a loop, branches, what is called; none of any other."""
    if op.type in LOOPS:
        return [op.get_attr("body").name]
    if op.type in CALLS:
        return [op.get_attr("f").name]
    if op.type not in BRANCHES:
        return []
    if op.type.endswith("Case"):
        return [function.name for function in op.get_attr("branches")]
    return [op.get_attr(f"{side}_branch").name for side in ("then", "else")]


def scanned(graph_def: GraphDef) -> bool:
    """Whether every list that a loop writes gets its item i in step i, as tf2onnx takes for granted."""
    functions = {function.signature.name: function for function in graph_def.library.function}
    for nodes in [graph_def.node, *(function.node_def for function in functions.values())]:
        if any(node.op in _UNSCANNED for node in nodes):
            return False
        by_name = {node.name: node for node in nodes}
        for node in nodes:
            if node.op in ("While", "StatelessWhile") and not _writes_in_order(node, by_name, functions):
                return False
    return True


def _writes_in_order(loop: NodeDef, around: Mapping[str, NodeDef], functions: Mapping[str, FunctionDef]) -> bool:
    body = functions[loop.attr["body"].func.name]
    nodes = {node.name: node for node in body.node_def}
    if any(_takes_lists(node) for node in nodes.values()):
        return False
    variables = [argument.name for argument in body.signature.input_arg]
    results = [body.ret[argument.name] for argument in body.signature.output_arg]
    for write in nodes.values():
        if write.op != "TensorListSetItem":
            continue
        counter = origin(write.input[1], nodes)
        if counter not in variables or write.attr["resize_if_index_out_of_bounds"].b:
            return False
        place = variables.index(counter)
        step = nodes.get(origin(results[place], nodes))
        start = around.get(origin(loop.input[place], around))
        if step is None or step.op not in ("Add", "AddV2") or _number(start) != 0:
            return False
        added = [origin(name, nodes) for name in step.input]
        if counter not in added or 1 not in [_number(nodes.get(name)) for name in added]:
            return False
    return True


def _takes_lists(node: NodeDef) -> bool:
    """Whether the functions of a node get a list."""
    import tensorflow as tf

    types = node.attr["T" if node.op in LOOPS else "Tin"].list.type if node.op in LOOPS + BRANCHES else ()
    return tf.variant.as_datatype_enum in types


def _number(node: NodeDef | None) -> int | None:
    """The whole number that a node holds, if it holds one."""
    import tensorflow as tf

    if node is None or node.op != "Const":
        return None
    value = tf.make_ndarray(node.attr["value"].tensor)
    return int(value) if value.ndim == 0 and value.dtype.kind == "i" else None


def used(graph_def: GraphDef) -> bool:
    """Whether a graph, or a function of its library, has lists of tensors."""
    nodes = [graph_def.node, *(function.node_def for function in graph_def.library.function)]
    return any(node.op.startswith("TensorList") for group in nodes for node in group)

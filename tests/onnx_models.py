"""Small ONNX files for tests, each of a few nodes."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, DOUBLE, INT64, STRING = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64, TensorProto.STRING
WEIGHTS = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
node = helper.make_node


def save(path: Path, nodes, inputs, outputs, **constants) -> Path:
    """Write a model; inputs and outputs are (name, type, shape)."""
    graph = helper.make_graph(
        nodes, "test", *([helper.make_tensor_value_info(*each) for each in side] for side in (inputs, outputs)),
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def linear(path: Path, weights=WEIGHTS, x="x", y="y", batch="n", dtype=FLOAT) -> Path:
    """Times a matrix."""
    size = weights.shape
    nodes = [node("MatMul", [x, "w"], [y])]
    return save(path, nodes, [(x, dtype, [batch, size[0]])], [(y, dtype, [batch, size[1]])], w=weights)


def two(path: Path, names=("x", "n", "y", "k"), weights=WEIGHTS, axis=1) -> Path:
    """Real and whole inputs, and an output of each kind."""
    x, n, y, k = names
    nodes = [
        node("Cast", [n], ["float"], to=FLOAT),
        node("ReduceSum", ["float", "axis"], ["sum"], keepdims=1),
        node("MatMul", [x, "w"], ["product"]),
        node("Add", ["product", "sum"], [y]),
        node("ArgMax", [y], [k], axis=axis, keepdims=0),
    ]
    inputs = [(x, FLOAT, ["n", 4]), (n, INT64, ["n", 2])]
    return save(path, nodes, inputs, [(y, FLOAT, ["n", 3]), (k, INT64, [None])], w=weights, axis=np.array([1]))


def chain(path: Path, *operators, dtype=FLOAT, size=4, **constants) -> Path:
    """Operators one after another on input x, to output y; an operator is a name, or a name and a constant's."""
    nodes, before = [], "x"
    for index, each in enumerate(operators):
        kind, *others = each if isinstance(each, tuple) else (each,)
        after = "y" if index == len(operators) - 1 else f"t{index}"
        nodes.append(node(kind, [before, *others], [after]))
        before = after
    return save(path, nodes, [("x", dtype, ["n", size])], [("y", dtype, ["n", size])], **constants)


def lookup(path: Path, table) -> Path:
    """A row of a table for each number."""
    return save(
        path, [node("Gather", ["table", "i"], ["e"], axis=0), node("Exp", ["e"], ["y"])],
        [("i", INT64, ["n"])], [("y", FLOAT, ["n", table.shape[1]])], table=table,
    )  # fmt: skip

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from kexport.factory.formats._narrow_transposes import narrow_transposes

X = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")


def made(axes, perm, used_twice=False):
    nodes = [
        helper.make_node("Unsqueeze", ["x", "axes"], ["wide"]),
        helper.make_node("Transpose", ["wide"], ["turned"], perm=perm),
        helper.make_node("Identity", ["turned"], ["y"]),
    ]
    if used_twice:
        nodes.append(helper.make_node("Identity", ["wide"], ["z"]))
    names = ["y", "z"] if used_twice else ["y"]
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 5, 3])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * len(perm)) for name in names],
        [numpy_helper.from_array(np.array(axes), "axes")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def run(model):
    onnx.checker.check_model(model, full_check=True)
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": X})


def operators(model):
    return [node.op_type for node in model.graph.node]


@pytest.mark.parametrize(
    ("axes", "perm"),
    [([1], [0, 3, 1, 2]), ([-1], [3, 0, 2, 1]), ([0], [1, 0, 2, 3]), ([1, 3], [0, 4, 1, 3, 2]), ([-3], [2, 1, 3, 0])],
)
def test_the_axis_is_added_behind_the_transpose(axes, perm):
    model = made(axes, perm)
    (wanted,) = run(model)
    narrow_transposes(model)
    (found,) = run(model)
    assert operators(model) == ["Transpose", "Unsqueeze", "Identity"]
    assert [tensor.name for tensor in model.graph.initializer] == ["turned/axes"]
    np.testing.assert_array_equal(found, wanted)


def test_what_something_else_uses_stays():
    model = made([1], [0, 3, 1, 2], used_twice=True)
    narrow_transposes(model)
    assert operators(model) == ["Unsqueeze", "Transpose", "Identity", "Identity"]

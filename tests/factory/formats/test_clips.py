import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from kexport.factory.formats._clips import clips

X = np.array([np.nan, 2, -2, 0.25, np.inf, -np.inf], "float32")


def made(nodes, low=-1.0, high=1.0, outputs=("y",)):
    constants = {"low": np.float32(low), "high": np.float32(high), "many": np.ones(6, "float32")}
    graph = helper.make_graph(
        [helper.make_node(op, inputs.split(), [output]) for op, inputs, output in nodes],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [6])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [6]) for name in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def changed(model):
    """The operators afterwards; the results are the same as before."""
    run = lambda: onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": X})  # noqa: E731
    wanted = run()
    clips(model)
    for value, want in zip(run(), wanted, strict=True):
        np.testing.assert_array_equal(value, want)
    return [node.op_type for node in model.graph.node]


@pytest.mark.parametrize(
    "nodes",
    [
        [("Min", "x high", "m"), ("Max", "m low", "y")],
        [("Max", "low x", "m"), ("Min", "high m", "y")],
    ],
)
def test_two_bounds_are_one_clip(nodes):
    assert changed(made(nodes)) == ["Clip"]


@pytest.mark.parametrize(
    ("nodes", "options"),
    [
        ([("Min", "x high", "m"), ("Max", "m low", "y")], {"low": 2.0}),
        ([("Min", "x high", "m"), ("Max", "m low", "y")], {"outputs": ("y", "m")}),
        ([("Min", "x high", "m"), ("Min", "m low", "y")], {}),
        ([("Min", "x many", "m"), ("Max", "m low", "y")], {}),
        ([("Min", "x high", "m"), ("Max", "m x", "y")], {}),
    ],
    ids=["bounds out of order", "what lies between is an output", "two of a kind", "many bounds", "no number"],
)
def test_anything_else_stays(nodes, options):
    assert changed(made(nodes, **options)) == [op for op, _, _ in nodes]

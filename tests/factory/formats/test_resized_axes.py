"""Linear resizing behind a transposition, which onnxruntime may move to where its kernel cannot be."""

from itertools import permutations

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

import kexport
from kexport.factory.formats._resized_axes import resized_axes
from kexport.testing.closeness import assert_close

X = np.random.default_rng(0).normal(size=(2, 5, 4, 3)).astype("float32")
ORDERS = [(0, *order) for order in permutations((1, 2, 3))]


def model(order, *, sizes, between):
    """A transposition, an operation if asked for, and a linear `Resize` before another transposition."""
    shape = [X.shape[axis] for axis in order]
    given = {"scales": np.array([1, 1, 2, 3], "float32"), "roi": np.zeros(0, "float32")}
    if sizes:
        given |= {"scales": np.zeros(0, "float32"), "sizes": np.array([*shape[:2], 2 * shape[2], 3 * shape[3]])}
    nodes = [
        helper.make_node("Transpose", ["x"], ["turned"], perm=order),
        *([helper.make_node("Exp", ["turned"], ["exp"])] * between),
        helper.make_node(
            "Resize", ["exp" if between else "turned", "roi", "scales", *["sizes"] * sizes], ["resized"],
            mode="linear", coordinate_transformation_mode="half_pixel",
        ),
        helper.make_node("Transpose", ["resized"], ["y"], perm=[0, 2, 3, 1]),
    ]  # fmt: skip
    value = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None] * 4) for name in "xy"]
    constants = [onnx.numpy_helper.from_array(array, name) for name, array in given.items()]
    graph = helper.make_graph(nodes, "g", value[:1], value[1:], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(made, optimised=True):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(made.SerializeToString(), options).run(None, {"x": X})[0]


@pytest.mark.parametrize("between", [False, True])
@pytest.mark.parametrize("sizes", [False, True])
@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_every_order_of_axes_can_be_loaded_and_is_right(order, sizes, between):
    wanted = run(model(order, sizes=sizes, between=between), optimised=False)
    changed = model(order, sizes=sizes, between=between)
    resized_axes(changed)
    onnx.checker.check_model(changed)
    assert_close(run(changed), wanted)
    neighbours = {*order[2:]} in ({1, 2}, {2, 3})
    assert [node.op_type for node in changed.graph.node].count("Resize") == (1 if neighbours else 2)


def test_onnxruntime_still_needs_it():
    with pytest.raises(Exception, match="Linear"):
        run(model((0, 2, 3, 1), sizes=False, between=False))


@pytest.mark.parametrize("size", [(5, 4), (None, None)], ids=str)
def test_upsampling_behind_a_permutation_is_exported(tmp_path, size):
    x = keras.Input((*size, 3), name="x")
    turned = keras.layers.Permute((3, 1, 2))(x)
    network = keras.Model(x, keras.layers.UpSampling2D((2, 3), interpolation="bilinear")(turned))
    bundle = kexport.build(network, tmp_path / "b", formats=["onnx"], domain={"x": (-1, 1)})
    assert bundle.passed, bundle.report

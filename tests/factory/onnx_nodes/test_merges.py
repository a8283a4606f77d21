"""tf2onnx' merges of consecutive nodes, where they would change what is computed."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from tf2onnx.graph import GraphUtil
from tf2onnx.optimizer.back_to_back_optimizer import BackToBackOptimizer

from kexport.factory.onnx_nodes import sound_merges

X = np.arange(24, dtype="float32").reshape(2, 3, 4)


def merged(first, second):
    """Two reshapes, as the optimiser leaves them: the result of X, and how many there are."""
    shapes = [numpy_helper.from_array(np.array(s, np.int64), n) for n, s in (("first", first), ("second", second))]
    nodes = [helper.make_node("Reshape", ["x", "first"], ["y"]), helper.make_node("Reshape", ["y", "second"], ["z"])]
    of_any = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, [None] * rank) for n, rank in (("x", 3), ("z", len(second)))
    ]
    graph = helper.make_graph(nodes, "reshapes", of_any[:1], of_any[1:], shapes)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model)
    with sound_merges():
        optimised = BackToBackOptimizer()._optimize(GraphUtil.create_graph_from_onnx_model(model))
    written = optimised.make_model("reshapes")
    written.ir_version = 8
    (result,) = onnxruntime.InferenceSession(written.SerializeToString()).run(None, {"x": X})
    return result, sum(node.op_type == "Reshape" for node in written.graph.node)


@pytest.mark.parametrize(("first", "second", "left"), [((6, 4), (0, 2, -1), 2), ((6, 4), (8, -1), 1)])
def test_a_reshape_that_copies_sizes_keeps_the_one_before_it(first, second, left):
    result, count = merged(first, second)
    sizes = [first[axis] if size == 0 else size for axis, size in enumerate(second)]
    np.testing.assert_array_equal(result, X.reshape(first).reshape(sizes))
    assert count == left

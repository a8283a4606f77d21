import keras
import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from kexport.factory.formats._eyes import eyes


def made(dtype):
    graph = helper.make_graph(
        [helper.make_node("EyeLike", ["x"], ["y"], name="eye", dtype=dtype, k=1)],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3])],
        [helper.make_tensor_value_info("y", dtype, [2, 3])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


@pytest.mark.parametrize("dtype", [TensorProto.BOOL, TensorProto.FLOAT16, TensorProto.UINT8, TensorProto.FLOAT])
def test_an_identity_matrix_of_any_type_runs(dtype):
    model = made(dtype)
    eyes(model)
    (value,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": np.zeros((2, 3), "float32")})
    assert value.dtype == helper.tensor_dtype_to_np_dtype(dtype)
    np.testing.assert_array_equal(value, np.eye(2, 3, k=1).astype(value.dtype))


def test_the_trace_of_a_wide_matrix_is_right(converted):
    x = np.arange(24, dtype="float32").reshape(2, 3, 4)
    results, operators = converted(lambda x: keras.ops.trace(x, axis1=-2, axis2=-1), "onnx", x, dynamic=True)
    assert "EyeLike" in operators
    for (value,) in results:
        np.testing.assert_array_equal(value, np.trace(x, axis1=1, axis2=2))

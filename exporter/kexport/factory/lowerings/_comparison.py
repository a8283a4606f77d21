"""tf2onnx' handler of comparisons: ONNX' own four, of integers as integers.

Its own handler compares integers as float32, which confuses neighbours above 2^24, and says `not (x < y)` for
`x >= y`, which is true of NaN.
"""

from __future__ import annotations

from typing import Any

KINDS = {"Less": "Less", "Greater": "Greater", "LessEqual": "LessOrEqual", "GreaterEqual": "GreaterOrEqual"}


def place(context: Any, node: Any, _name: str, _arguments: Any) -> None:
    """Make the operation the node that says the same; onnxruntime has its kernel for some types only."""
    from onnx import TensorProto

    dtype = context.get_dtype(node.input[0])
    wide = _wide(dtype)
    # tf2onnx counts the steps of a loop in int64 where TensorFlow says int32: cast what may be such a count.
    if wide == TensorProto.INT32 and not any(context.get_shape(name) for name in node.input):
        wide = TensorProto.INT64
    if wide != dtype:
        for index, name in enumerate(list(node.input)):
            cast = context.make_node("Cast", [name], attr={"to": wide}, dtypes=[wide])
            context.replace_input(node, name, cast.output[0], index)
    node.type = KINDS[node.type]


def _wide(dtype: int) -> int:
    from onnx import TensorProto

    if dtype in (TensorProto.INT8, TensorProto.INT16, TensorProto.UINT8, TensorProto.UINT16):
        return int(TensorProto.INT32)
    return int(TensorProto.INT64) if dtype in (TensorProto.UINT32, TensorProto.UINT64) else dtype

"""tf2onnx' handler of `Select`: a `Where` node.

Its own handler multiplies both choices by 0 or 1 and adds them, so that an infinity or a NaN in the one not chosen
gets through, as 0 times infinity is NaN.
"""

from __future__ import annotations

from typing import Any

KINDS = ("Select", "SelectV2")


def place(context: Any, node: Any, _name: str, _arguments: Any) -> None:
    """Put the `Where` in the operation's place; onnxruntime has its kernel for some types only."""
    from onnx import TensorProto

    condition = _broadcastable(context, node)
    dtype, shapes = context.get_dtype(node.output[0]), node.output_shapes
    carrier = {
        TensorProto.BOOL: TensorProto.UINT8,
        TensorProto.INT8: TensorProto.INT32,
        TensorProto.INT16: TensorProto.INT32,
        TensorProto.UINT16: TensorProto.INT32,
        TensorProto.UINT32: TensorProto.INT64,
        TensorProto.UINT64: TensorProto.INT64,
    }.get(dtype, dtype)
    choices, outputs = node.input[1:], node.output
    if carrier != dtype:
        choices = [context.make_node("Cast", [choice], attr={"to": carrier}).output[0] for choice in choices]
    context.remove_node(node.name)
    if carrier == dtype:
        context.make_node(
            "Where", [condition, *choices], outputs=outputs, name=node.name, shapes=shapes, dtypes=[dtype]
        )
        return
    chosen = context.make_node("Where", [condition, *choices], shapes=shapes, dtypes=[carrier])
    context.make_node(
        "Cast",
        chosen.output,
        attr={"to": dtype},
        outputs=outputs,
        name=node.name,
        shapes=shapes,
        dtypes=[dtype],
    )


def _broadcastable(context: Any, node: Any) -> str:
    """The condition; that of a `Select`, one value a row, with axes of 1 behind."""
    import numpy as np

    condition: str = node.input[0]
    if node.type != "Select":
        return condition
    own, whole = context.get_shape(condition), context.get_shape(node.output[0])
    if own is None or whole is None or len(own) in (0, len(whole)):
        return condition
    shape = context.make_const(node.name + "_condition", np.array([-1] + [1] * (len(whole) - 1), np.int64))
    reshaped: str = context.make_node("Reshape", [condition, shape.output[0]]).output[0]
    return reshaped

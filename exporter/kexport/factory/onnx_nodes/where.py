"""tf2onnx' handler of `Select`, replaced: one `Where` node.

tf2onnx' own multiplies both choices by 0 or 1 and adds them, so that an infinity or a NaN in the choice that is not
taken gets through: 0 times infinity is NaN.
"""

from __future__ import annotations

from kexport.factory.graph.onnx_protocols import MappedGraph, MappedNode
from kexport.factory.onnx_nodes.carrier import replacing

KINDS = ("Select", "SelectV2")


def place(graph: MappedGraph, node: MappedNode, _name: str, _arguments: object) -> None:
    """Replace the operation by a `Where`, in a type that onnxruntime has a kernel for."""
    condition = _broadcastable(graph, node)
    dtype, carrier = graph.get_dtype(node.output[0]), _carrier(graph.get_dtype(node.output[0]))
    options = replacing(node.name, node.output, node.output_shapes, [dtype])
    choices = node.input[1:]
    if carrier != dtype:
        choices = [graph.make_node("Cast", [choice], attr={"to": carrier}).output[0] for choice in choices]
    graph.remove_node(node.name)
    if carrier == dtype:
        graph.make_node("Where", [condition, *choices], **options)
        return
    chosen = graph.make_node("Where", [condition, *choices], shapes=options["shapes"], dtypes=[carrier])
    graph.make_node("Cast", chosen.output, attr={"to": dtype}, **options)


def _carrier(dtype: int) -> int:
    """The type in which onnxruntime has a kernel of `Where`."""
    from onnx import TensorProto

    return {
        TensorProto.BOOL: TensorProto.UINT8,
        TensorProto.INT8: TensorProto.INT32,
        TensorProto.INT16: TensorProto.INT32,
        TensorProto.UINT16: TensorProto.INT32,
        TensorProto.UINT32: TensorProto.INT64,
        TensorProto.UINT64: TensorProto.INT64,
    }.get(dtype, dtype)


def _broadcastable(graph: MappedGraph, node: MappedNode) -> str:
    """The condition, shaped to broadcast: that of a `Select` may be a vector with one value for each row."""
    import numpy as np

    condition = node.input[0]
    if node.type != "Select":
        return condition
    shape, whole = graph.get_shape(condition), graph.get_shape(node.output[0])
    if shape is None or whole is None or len(shape) in (0, len(whole)):
        return condition
    column = graph.make_const(node.name + "_condition", np.array([-1] + [1] * (len(whole) - 1), np.int64))
    return graph.make_node("Reshape", [condition, column.output[0]]).output[0]

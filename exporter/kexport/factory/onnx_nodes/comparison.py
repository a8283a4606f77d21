"""tf2onnx' handler of comparisons, replaced: ONNX' own four operators, on integers as integers.

tf2onnx' own compares integers as float32, which cannot tell neighbours above 2^24 apart, and writes `x >= y` as
`not (x < y)`, which is true of NaN.
"""

from __future__ import annotations

from kexport.factory.graph.onnx_protocols import MappedGraph, MappedNode

KINDS = {"Less": "Less", "Greater": "Greater", "LessEqual": "LessOrEqual", "GreaterEqual": "GreaterOrEqual"}


def place(graph: MappedGraph, node: MappedNode, _name: str, _arguments: object) -> None:
    """Turn the operation into the ONNX node, in a type that onnxruntime has a kernel for."""
    from onnx import TensorProto

    dtype = graph.get_dtype(node.input[0])
    wide = _wide(dtype)
    # tf2onnx counts the steps of a loop in int64 where TensorFlow has int32: cast what may be such a count.
    if wide == TensorProto.INT32 and not any(graph.get_shape(name) for name in node.input):
        wide = TensorProto.INT64
    if wide != dtype:
        for index, name in enumerate(list(node.input)):
            cast = graph.make_node("Cast", [name], attr={"to": wide}, dtypes=[wide])
            graph.replace_input(node, name, cast.output[0], index)
    node.type = KINDS[node.type]


def _wide(dtype: int) -> int:
    from onnx import TensorProto

    if dtype in (TensorProto.INT8, TensorProto.INT16, TensorProto.UINT8, TensorProto.UINT16):
        return int(TensorProto.INT32)
    return int(TensorProto.INT64) if dtype in (TensorProto.UINT32, TensorProto.UINT64) else dtype

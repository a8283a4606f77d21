"""Identity matrices of a type in which onnxruntime has no kernel: made in int32, and cast.

tf2onnx makes an `EyeLike` of the pattern that `tf.eye` leaves, in whatever type it was asked for;
`keras.ops.trace` asks for bools. Kernels: https://github.com/microsoft/onnxruntime/blob/main/docs/OperatorKernels.md
"""

from __future__ import annotations

from kexport.factory.formats._onnx_graphs import with_inner
from kexport.factory.graph.onnx_protocols import OnnxModel, OnnxNode


def eyes(model: OnnxModel) -> None:
    """Change the main graph of a model, and all that its nodes hold."""
    import onnx

    known = onnx.TensorProto
    kernels = {known.FLOAT, known.DOUBLE, known.INT32, known.INT64, known.UINT64}
    for graph in with_inner(model.graph):
        nodes = []
        for node in graph.node:
            nodes.append(node)
            asked = _asked(node)
            if asked is None or asked in kernels:
                continue
            result, made = node.output[0], f"{node.output[0]}/eye"
            settings = {"dtype": known.INT32, "k": _offset(node)}
            eye = onnx.helper.make_node("EyeLike", node.input, [made], name=node.name, **settings)
            node.CopyFrom(eye)
            nodes.append(onnx.helper.make_node("Cast", [made], [result], name=f"{node.name}/cast", to=asked))
        if len(nodes) > len(graph.node):
            del graph.node[:]
            graph.node.extend(nodes)


def _asked(node: OnnxNode) -> int | None:
    """The type of an identity matrix, where the node says it."""
    if node.op_type != "EyeLike":
        return None
    return next((each.i for each in node.attribute if each.name == "dtype"), None)


def _offset(node: OnnxNode) -> int:
    return next((each.i for each in node.attribute if each.name == "k"), 0)

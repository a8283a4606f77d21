"""Lower and upper case of ASCII letters, as TensorFlow has it without an encoding, in a locale that all machines have.

tf2onnx' handler leaves ONNX' own, American English, which ONNX Runtime cannot load where that is not installed.
Source: ONNX, StringNormalizer; TensorFlow, documentation of tf.strings.lower.
"""

from __future__ import annotations

from kexport.factory.graph.onnx_protocols import MappedGraph, MappedNode

KINDS = ("StringLower", "StringUpper")


def place(graph: MappedGraph, node: MappedNode, _name: str, _arguments: object) -> None:
    """Turn the operation into tf2onnx' nodes, in the locale C."""
    from tf2onnx.custom_opsets.string_ops import StringLower

    ascii_alone = not node.get_attr("encoding").s
    StringLower.version_10(graph, node)
    if ascii_alone:
        node.set_attr("locale", "C")

"""Transposed convolutions to a given size: the padding that is left over is at the end, as in TensorFlow.

tf2onnx states the size, and not the padding, where it does not know the input's size, and ONNX puts what is left over
at the begin unless it is told. Source: ONNX, operator ConvTranspose, `auto_pad`; TensorFlow, tf.nn.conv_transpose.
"""

from __future__ import annotations

from kexport.factory.formats._onnx_graphs import with_inner
from kexport.factory.graph.onnx_protocols import OnnxModel


def transposed_pads(model: OnnxModel) -> None:
    """Change the main graph of a model, and all that its nodes hold."""
    import onnx

    for graph in with_inner(model.graph):
        for node in graph.node:
            named = {each.name for each in node.attribute}
            if node.op_type == "ConvTranspose" and "output_shape" in named and not named & {"auto_pad", "pads"}:
                node.attribute.append(onnx.helper.make_attribute("auto_pad", "SAME_UPPER"))

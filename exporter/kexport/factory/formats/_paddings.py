"""Paddings of convolutions that tf2onnx leaves to the runtime where it does not know the size of the input.

A transposed convolution to a given size has what is left over at its end in TensorFlow, and at its begin in ONNX unless
it is told. A dilated convolution of the same size is refused by onnxruntime without explicit padding, which does not
depend on the size of the input at stride 1.
Source: ONNX, operators ConvTranspose and Conv, `auto_pad`; TensorFlow, tf.nn.conv_transpose and tf.nn.convolution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kexport.factory.formats._onnx_graphs import with_inner
from kexport.factory.graph.onnx_protocols import OnnxModel, OnnxNode


def paddings(model: OnnxModel) -> None:
    """Change the main graph of a model, and all that its nodes hold."""
    import onnx

    for graph in with_inner(model.graph):
        for node in graph.node:
            if node.op_type not in ("Conv", "ConvTranspose"):
                continue
            known = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
            if node.op_type == "ConvTranspose":
                if "output_shape" in known and not known.keys() & {"auto_pad", "pads"}:
                    node.attribute.append(onnx.helper.make_attribute("auto_pad", "SAME_UPPER"))
            elif known.get("auto_pad") == b"SAME_UPPER" and _is_dilated_at_stride_1(known):
                _state(node, _at_stride_1(known["kernel_shape"], known["dilations"]))


def _is_dilated_at_stride_1(known: Mapping[str, Any]) -> bool:
    stated = {"dilations", "strides", "kernel_shape"} <= known.keys()
    return stated and max(known["dilations"]) > 1 and max(known["strides"]) == 1


def _at_stride_1(kernel: Sequence[int], dilations: Sequence[int]) -> list[int]:
    """How much is padded before each axis, and after each."""
    whole = [(size - 1) * rate for size, rate in zip(kernel, dilations, strict=True)]
    before = [size // 2 for size in whole]
    return [*before, *(size - first for size, first in zip(whole, before, strict=True))]


def _state(node: OnnxNode, pads: Sequence[int]) -> None:
    import onnx

    rest = [each for each in node.attribute if each.name != "auto_pad"]
    del node.attribute[:]
    node.attribute.extend([*rest, onnx.helper.make_attribute("pads", pads)])

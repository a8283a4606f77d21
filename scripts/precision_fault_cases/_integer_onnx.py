"""Changing an ONNX file of integers: what quantises a tensor, and what makes real numbers of integers again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fault_cases._onnx_graph import OnnxGraph

Change = Callable[[Any], Any]
INTEGERS, SCALE, ZERO_POINT = 0, 1, 2  # the operands of a node that quantises, or the reverse


class IntegerOnnx(OnnxGraph):
    """An ONNX file whose tensors are quantised, and made real numbers again, by nodes."""

    def weights(self, operator: str, layer: str, operand: int = 1, which: int | None = None) -> Any:
        """The node that makes real numbers of a constant operand."""
        return self._making(self.node(operator, layer, which).input[operand])

    def taking(self, operator: str, layer: str, which: int | None = None) -> tuple[Any, Any]:
        """The nodes that quantise the result of a node, and make real numbers of it again."""
        return self.around(self.node(operator, layer, which).output[0])

    def around(self, tensor: str) -> tuple[Any, Any]:
        """The nodes that quantise a tensor, and make real numbers of it again."""
        (first,) = (n for n in self.graph.node if n.op_type == "QuantizeLinear" and n.input[0] == tensor)
        (second,) = (n for n in self.graph.node if n.op_type == "DequantizeLinear" and n.input[0] == first.output[0])
        return first, second

    def set(self, node: Any, operand: int, change: Change, dtype: str | None = None) -> None:
        """Give a node another constant."""
        old = self.value(node.input[operand])
        node.input[operand] = self.constant(np.asarray(change(np.array(old))).astype(dtype or old.dtype))
        used = {name for each in self.graph.node for name in each.input}
        kept = [tensor for tensor in self.graph.initializer if tensor.name in used]
        del self.graph.initializer[:]
        self.graph.initializer.extend(kept)

    def overwrite(self, operator: str, layer: str, operand: int, change: Change, which: int | None = None) -> None:
        """Change the constant that is an operand of a node, for all that take it."""
        from onnx import numpy_helper

        name = self.node(operator, layer, which).input[operand]
        # Weights of half precision are widened first.
        name = next((each.input[0] for each in self.graph.node if each.op_type == "Cast" and name in each.output), name)
        (tensor,) = (each for each in self.graph.initializer if each.name == name)
        old = numpy_helper.to_array(tensor)
        tensor.CopyFrom(numpy_helper.from_array(np.asarray(change(np.array(old))).astype(old.dtype), name))

    def set_both(self, nodes: tuple[Any, Any], operand: int, change: Change) -> None:
        """Give both nodes around a tensor another constant: another range."""
        for node in nodes:
            self.set(node, operand, change)

    def wrap(self, nodes: tuple[Any, Any]) -> None:
        """Quantise without saturation: what is beyond the last integer begins again at the other end."""
        from onnx import TensorProto

        node, _ = nodes
        scale, zero = self.value(node.input[SCALE]), self.value(node.input[ZERO_POINT])
        steps = self.add("Round", self.add("Div", node.input[0], self.constant(scale)))
        moved = self.add("Add", steps, self.constant(np.float32(zero)))
        low, count = np.float32(np.iinfo(zero.dtype).min), np.float32(256)
        above = self.add("Mod", self.add("Sub", moved, self.constant(low)), self.constant(count), fmod=1)
        positive = self.add("Mod", self.add("Add", above, self.constant(count)), self.constant(count), fmod=1)
        kind = TensorProto.INT8 if zero.dtype == np.int8 else TensorProto.UINT8
        wrapped = self.add("Cast", self.add("Add", positive, self.constant(low)), to=kind)
        for other in self.graph.node:
            for index, name in enumerate(other.input):
                if name == node.output[0]:
                    other.input[index] = wrapped
        self.graph.node.remove(node)

    def _making(self, tensor: str) -> Any:
        (node,) = (n for n in self.graph.node if tensor in n.output)
        assert node.op_type == "DequantizeLinear", node.op_type
        return node

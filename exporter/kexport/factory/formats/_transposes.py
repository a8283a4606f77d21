"""tf2onnx' pass that moves transposes, without its mistake about squares.

It moves a transpose behind the product of its result with itself, but leaves the product the shape that it had. Where
the transpose is then written as a reshape, for axes of size one, that shape is wrong, and so are the numbers.
"""

from __future__ import annotations

from kexport.factory.graph.onnx_protocols import GraphPass, MappedNode


def transposes() -> GraphPass:
    """The pass, with the shape of a square corrected."""
    from tf2onnx.optimizer.transpose_optimizer import TransposeOptimizer

    class Transposes(TransposeOptimizer):
        def _mul_handler(self, trans: MappedNode, node: MappedNode) -> bool:
            squares = all(source == trans.output[0] for source in node.input)
            shape = self._g.get_shape(trans.input[0])
            moved: bool = super()._mul_handler(trans, node)
            if moved and squares and shape is not None:
                self._g.set_shape(node.output[0], shape)
            return moved

    return Transposes()

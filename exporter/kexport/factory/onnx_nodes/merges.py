"""tf2onnx' optimiser of consecutive nodes, kept from two mistakes.

It drops a cast to a float type whatever its input is: float32 -> float16 -> float32 would not round any more. And it
drops a reshape before another one whose shape has zeros: those copy sizes of the tensor in between.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kexport.factory.graph.onnx_protocols import MappedGraph, MappedNode


@contextmanager
def sound_merges() -> Iterator[None]:
    """Within it, the optimiser merges casts and reshapes only where what is left computes the same."""
    from tf2onnx.optimizer import back_to_back_optimizer

    handlers = back_to_back_optimizer._func_map
    originals = dict(handlers)

    def casts(graph: MappedGraph, node: MappedNode, consumers: list[MappedNode]) -> list[str]:
        if _holds(node.get_attr("to").i, graph.get_dtype(node.input[0])):
            return originals["Cast",](graph, node, consumers)
        return [consumer.output[0] for consumer in consumers]

    def reshapes(graph: MappedGraph, node: MappedNode, consumers: list[MappedNode]) -> list[str]:
        return (
            []
            if any(_copies_sizes(each) for each in consumers if each.type == "Reshape")
            else originals["Reshape",](graph, node, consumers)
        )

    handlers.update({("Cast",): casts, ("Reshape",): reshapes})
    try:
        yield
    finally:
        handlers.update(originals)


def _holds(wider: int, dtype: int | None) -> bool:
    import numpy as np
    from onnx import TensorProto, helper

    if dtype is None or TensorProto.STRING in (wider, dtype):
        return False
    return bool(np.can_cast(helper.tensor_dtype_to_np_dtype(dtype), helper.tensor_dtype_to_np_dtype(wider)))


def _copies_sizes(node: MappedNode) -> bool:
    """Whether a reshape copies sizes of its input, or may: its shape is not known."""
    shape = node.inputs[1]
    return not (shape.is_const() and shape.get_tensor_value(as_list=False).all())

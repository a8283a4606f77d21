"""tf2onnx' optimiser of consecutive casts, kept from dropping those that round.

It drops a cast to a float type whatever its input is: float32 -> float16 -> float32 would not round any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kexport.factory.graph.onnx_protocols import MappedGraph, MappedNode


@contextmanager
def kept_rounding_casts() -> Iterator[None]:
    """Within it, the optimiser drops a cast only if the type in between holds every value of the type before."""
    from tf2onnx.optimizer import back_to_back_optimizer

    handlers = back_to_back_optimizer._func_map
    original = handlers["Cast",]

    def guarded(graph: MappedGraph, node: MappedNode, consumers: list[MappedNode]) -> list[str]:
        if _holds(node.get_attr("to").i, graph.get_dtype(node.input[0])):
            return original(graph, node, consumers)
        return [consumer.output[0] for consumer in consumers]

    handlers["Cast",] = guarded
    try:
        yield
    finally:
        handlers["Cast",] = original


def _holds(wider: int, dtype: int | None) -> bool:
    import numpy as np
    from onnx import TensorProto, helper

    if dtype is None or TensorProto.STRING in (wider, dtype):
        return False
    return bool(np.can_cast(helper.tensor_dtype_to_np_dtype(dtype), helper.tensor_dtype_to_np_dtype(wider)))

"""tf2onnx' optimiser of casts that follow each other, kept from dropping those that round.

It drops a cast to a float type whatever it is made from: float32 -> float16 -> float32 would round nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def that_round_stay() -> Iterator[None]:
    """Within it, the optimiser drops a cast only if the type between holds every value of the type before."""
    from tf2onnx.optimizer import back_to_back_optimizer

    handlers = back_to_back_optimizer._func_map
    original = handlers["Cast",]

    def guarded(graph: Any, node: Any, consumers: list[Any]) -> Any:
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

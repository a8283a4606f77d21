"""The error of interpolation: kernels round the places that they interpolate at, each in its own order.

A projective transform takes each pixel from a place among n others, which in float32 has units of up to n 2^-23; its
products, sums and quotient each lose up to half of one. TensorFlow's kernel does so for float64 too, so the distance to
the truth shows nothing of it. Between pixels as far apart as the scale, a place that is off by d makes a result that is
off by d of the scale. (Bilinear resizing has the same places everywhere: see the lowering `resize_bilinear`.)
"""

from __future__ import annotations

from collections.abc import Iterator

from kexport.factory.graph.inner_operations import every_operation
from kexport.factory.graph.protocols import Graph, Operation
from kexport.parity.tolerance import EPSILON


def noise(graph: Graph, largest_size: int) -> float:
    """The most that rounded places may move an output, relative to its scale.

    Args:
        graph: the graph of the traced function.
        largest_size: stands for sizes that are dynamic.
    """
    sizes = [size or largest_size for op in _transforms(graph) for size in op.inputs[0].shape[1:3]]
    return EPSILON["float32"] * max(sizes, default=0)


def exact(before: int, after: int) -> bool:
    """Whether places lose nothing when so many pixels become so many: their ratio has few digits."""
    numerator, denominator = (before / after).as_integer_ratio()
    return denominator <= 1 << 10 and numerator <= 1 << 10


def _transforms(graph: Graph) -> Iterator[Operation]:
    """The operations of the graph, and of the functions that it calls, that transform images projectively."""
    return (op for op in every_operation(graph) if op.type.startswith("ImageProjectiveTransform"))

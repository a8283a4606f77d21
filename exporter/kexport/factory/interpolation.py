"""What interpolation costs: kernels round the places that they interpolate at, each in its own order.

A bilinear resize takes output y from place (y + 1/2) n/m - 1/2 of n pixels. In float32 its ratio, product and sum each
lose up to half a unit in the last place, and a place near n has units of up to n 2^-23. TensorFlow's kernel does so for
float64 too, so the distance to the truth shows nothing of it. Between pixels as far apart as the scale, a place that is
off by d makes a result that is off by d of the scale. Where the ratio is a power of 2, nothing is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kexport.parity.tolerance import EPSILON


def noise(core: Any, largest_size: int) -> float:
    """The most that rounded places may move an output, relative to its scale.

    Args:
        core: the traced function.
        largest_size: stands for sizes that are dynamic.
    """
    sizes = [size for op in _operations(core.graph) for size in _rounded(op, largest_size)]
    return EPSILON["float32"] / 2 * max(sizes, default=0)


def _operations(graph: Any) -> Iterator[Any]:
    """Those of the graph that resize, in the functions that it calls too."""
    for op in graph.get_operations():
        if op.type == "ResizeBilinear":
            yield op
    for function in graph._functions.values():
        yield from _operations(function.graph)


def _rounded(op: Any, largest_size: int) -> Iterator[int]:
    """The sizes of the input along axes whose places are rounded."""
    for before, after in zip(op.inputs[0].shape[1:3], op.outputs[0].shape[1:3], strict=True):
        if before is None or after is None:
            yield largest_size if before is None else before
        elif not _exact(before, after):
            yield before


def _exact(before: int, after: int) -> bool:
    """Whether the ratio of the sizes is one of small whole numbers to a power of 2."""
    numerator, denominator = (before / after).as_integer_ratio()
    return denominator <= 1 << 10 and numerator <= 1 << 10

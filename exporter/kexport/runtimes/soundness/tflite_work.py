"""How long an operator of a TFLite file takes, as far as the sizes in it tell."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from kexport.runtimes.soundness.tflite_schema import OperatorRow, TensorRow

#: Nanoseconds of one core: for a multiplication and addition in products, in reference kernels too, and for an element
#: of anything else. Measured with LiteRT 2.1 on x86-64: 0.02 to 0.1, 0.7 to 3, and 0.1 to 3.
_PRODUCT, _REFERENCE_PRODUCT, _ELEMENT = 0.05, 1.0, 1.0


def work(operator: OperatorRow, tensors: Sequence[TensorRow], *, reference: bool) -> float:
    """How long an operator takes at least, in nanoseconds of one core; roughly.

    Args:
        operator: the operator.
        tensors: those of its subgraph.
        reference: whether it runs in a reference kernel.
    """
    shapes = [tensors[at].shape if at >= 0 else () for at in operator.inputs]
    made = sum(count(tensors[at].shape) for at in operator.outputs)
    product = _REFERENCE_PRODUCT if reference else _PRODUCT
    name, options = operator.name, operator.options
    weights = shapes[1] if len(shapes) > 1 else ()
    if name == "FULLY_CONNECTED" and weights:
        return made * count(weights[-1:]) * product
    if name in ("CONV_2D", "CONV_3D"):
        return made * count(weights[1:] if name == "CONV_2D" else weights[:-1]) * product
    if name == "DEPTHWISE_CONV_2D":
        return made * count(weights[1:3]) * product
    if name == "TRANSPOSE_CONV" and len(shapes) > 2:
        return count(shapes[2]) * count(weights[:3]) * product
    if name == "BATCH_MATMUL" and shapes[0]:
        return made * count(shapes[0][-2:-1] if options.get("adj_x") else shapes[0][-1:]) * product
    if name.endswith("POOL_2D"):
        window = [options.get(f"filter_{side}") for side in ("height", "width")]
        return made * count(size for size in window if isinstance(size, int)) * _ELEMENT
    return max([made, *map(count, shapes)]) * _ELEMENT


def count(sizes: Iterable[int]) -> int:
    """How many elements there are at least; sizes that are dynamic count as 1."""
    return math.prod(max(size, 1) for size in sizes)

"""How far an output may be from the truth, from what float arithmetic itself costs the model.

The noise floor of an output is the distance of Keras' own result from the truth, over all goldens, relative to the
largest magnitude of the truth. Four times the floor passes what is right; a wrong weight, axis or epsilon is orders
above it. A model of very few operations may by luck have a floor near zero, hence a least limit of a few units in the
last place of the scale.

Other kernels add up in other orders. The host's, and ONNX Runtime's, sum in 8 or 16 lanes, and lanes of n/16 numbers
each lose sqrt(16) = 4 times less than one sum of n numbers (the rounding errors of a running sum of random numbers add
up to n/sqrt(2) units: Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, section 4.2). Measured on
ImageNet networks with random weights: ONNX Runtime 0.6 to 1 times the floor, XNNPACK up to 3.3, LiteRT's reference
kernels 7. So a runtime says in `summation` how much more the order of its kernels costs.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kexport.bundle.manifest import OutputLimit
from kexport.bundle.signature import TensorSpec

FLOOR_MULTIPLE = 4.0
LEAST_ULPS = 4.0
#: The source of the limit of an output whose values are not rounded.
EXACT = "exact"
#: Above this, float arithmetic leaves so little of the result that a comparison proves nothing.
LARGEST_LIMIT = 0.1

#: One unit in the last place of 1, by dtype.
EPSILON = {
    "float64": 2.0**-52,
    "float32": 2.0**-23,
    "float16": 2.0**-10,
    "bfloat16": 2.0**-7,
    "complex64": 2.0**-23,
    "complex128": 2.0**-52,
}


def limit_for(spec: TensorSpec, scale: float, noise: float, source: str) -> OutputLimit:
    """The limit of one output.

    Args:
        spec: of the output.
        scale: the largest finite magnitude of the truth over all goldens.
        noise: the largest absolute distance of Keras' own result from it.
        source: how the noise was measured.
    """
    if not spec.is_float:
        return OutputLimit(spec.name, 1.0, 0.0, 0.0, EXACT)
    scale = scale or 1.0  # an output that is always zero has no scale of its own
    floor = noise / scale
    # Arithmetic is float32 where the truth's dtype is float64 but the model's is not: the output's dtype decides.
    limit = max(FLOOR_MULTIPLE * floor, LEAST_ULPS * EPSILON[spec.dtype])
    return OutputLimit(spec.name, float(scale), float(floor), float(limit), source)


def for_kernels(limit: OutputLimit, summation: float) -> OutputLimit:
    """The limit for a runtime whose order of summation costs `summation` times what the host's does."""
    return replace(limit, limit=max(limit.limit, FLOOR_MULTIPLE * summation * limit.floor))


def largest(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """The largest finite magnitude, 0 when there is none."""
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max()) if finite.size else 0.0

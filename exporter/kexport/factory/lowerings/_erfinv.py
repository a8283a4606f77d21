"""The inverse error function in float32, which neither ONNX nor TFLite has.

With w = -log((1 - x)(1 + x)): erfinv(x) = x P(w - 5/2) where w <= 5, else x R(sqrt(w) - 3); float32 ends at w = 16.
Infinite at -1 and 1; NaN beyond, as the logarithm is.
Source: Giles, Approximating the erfinv function, GPU Computing Gems, Jade Edition, 2011, for the variables; P and R as
in `_polynomial`, from the normal quantile of Python's `statistics` (Wichura's algorithm AS 241).
"""

from __future__ import annotations

import math
import statistics

from kexport.bundle.signature import Array
from kexport.factory.graph.protocols import Tensor
from kexport.factory.lowerings._polynomial import fitted, polynomial


def _quotient(w: float) -> float:
    """erfinv(x) / x; the quantile of the upper tail (1 - x) / 2 keeps its accuracy there."""
    x = math.sqrt(-math.expm1(-w))
    tail = math.exp(-w) / (2 * (1 + x))
    return -statistics.NormalDist().inv_cdf(tail) / math.sqrt(2) / x


def _near(v: Array) -> Array:
    import numpy as np

    return np.array([_quotient(shifted + 2.5) for shifted in v])


def _far(v: Array) -> Array:
    import numpy as np

    return np.array([_quotient((shifted + 3) ** 2) for shifted in v])


def erfinv(x: Tensor) -> Tensor:
    """The inverse error function of a float32."""
    import tensorflow as tf

    w = -tf.math.log((1.0 - x) * (1.0 + x))
    near = polynomial(w - 2.5, fitted(_near, -2.5, 2.5, 9))
    far = polynomial(tf.sqrt(w) - 3.0, fitted(_far, math.sqrt(5) - 3, 1.1, 9))
    result = x * tf.where(w > 5.0, far, near)
    return tf.where(tf.equal(x, 1.0), math.inf, tf.where(tf.equal(x, -1.0), -math.inf, result))

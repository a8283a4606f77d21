"""`log(1 + x)` by operations that TFLite has, relatively accurate near 0; other lowerings share it.

With s = x / (2 + x), log(1 + x) = 2 atanh(s). Where |s| <= 1/2, atanh(s) = s + s z Q(z) with z = s^2, else the
logarithm is taken directly: 1 + x is then far from 1, where XNNPACK's logarithm has a large relative error.
Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 4.1.27 and 4.6.22; Q as in `_polynomial`.
"""

from __future__ import annotations

from kexport.bundle.signature import Array
from kexport.factory.graph.protocols import Tensor
from kexport.factory.lowerings._polynomial import fitted, polynomial


def _excess(z: Array) -> Array:
    import numpy as np

    s = np.sqrt(z)
    return (np.arctanh(s) / s - 1) / z


def atanh_near_zero(s: Tensor) -> Tensor:
    """The inverse hyperbolic tangent where |s| <= 1/2."""
    z = s * s
    return s + s * z * polynomial(z, fitted(_excess, 0.0, 0.25, 6))


def log1p(x: Tensor) -> Tensor:
    """`log(1 + x)` for float32."""
    import tensorflow as tf

    direct = (x > 2.0) | (x < -2 / 3)
    return tf.where(direct, tf.math.log(1.0 + x), 2.0 * atanh_near_zero(x / (2.0 + x)))

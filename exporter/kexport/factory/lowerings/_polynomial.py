"""Polynomials that approximate a function on an interval: interpolation at Chebyshev nodes, and Horner's rule.

The interpolant of degree n is within a small factor of the best polynomial of that degree; where the function is
analytic its error falls by a constant factor with every degree.
Source: Trefethen, Approximation Theory and Approximation Practice, chapters 4, 8 and 16.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from numpy.polynomial import Chebyshev, Polynomial

from kexport.bundle.signature import Array
from kexport.factory.graph.protocols import Tensor


@cache
def fitted(function: Callable[[Array], Array], low: float, high: float, degree: int) -> tuple[float, ...]:
    """Coefficients, the constant first, of the polynomial that approximates a function of float64 arrays."""
    interpolant = Chebyshev.interpolate(function, degree, [low, high]).convert(kind=Polynomial)
    return tuple(map(float, interpolant.coef))


def polynomial(x: Tensor, coefficients: Sequence[float]) -> Tensor:
    """The polynomial with these coefficients, the constant first, at a tensor; the degree is 1 or more."""
    *rest, last, highest = coefficients
    result = highest * x + last
    for coefficient in reversed(rest):
        result = result * x + coefficient
    return result

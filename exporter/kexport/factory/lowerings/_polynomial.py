"""Polynomials that stand for a function on an interval: interpolation at Chebyshev nodes, evaluated by Horner's rule.

The interpolant of degree n is within a small factor of the best polynomial of that degree; where the function is
analytic its error falls by a constant factor with every degree.
Source: Trefethen, Approximation Theory and Approximation Practice, chapters 4, 8 and 16.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from numpy.polynomial import Chebyshev, Polynomial


@cache
def fitted(function: Callable[[Any], Any], low: float, high: float, degree: int) -> tuple[float, ...]:
    """Coefficients, the constant first, of the polynomial that stands for a function of float64 arrays."""
    found = Chebyshev.interpolate(function, degree, [low, high]).convert(kind=Polynomial)
    return tuple(map(float, found.coef))


def polynomial(x: Any, coefficients: Sequence[float]) -> Any:
    """The polynomial with these coefficients, the constant first, at a tensor."""
    *rest, value = coefficients
    result: Any = value
    for coefficient in reversed(rest):
        result = result * x + coefficient
    return result

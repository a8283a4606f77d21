"""An error as a multiple of its limit."""

from __future__ import annotations

import math

from kexport.parity.outcome import UNIT_DECIBELS, Outcome


def excess(outcome: Outcome) -> float:
    """The distance as a multiple of the limit; infinite where there is no distance, 0 where nothing was compared."""
    if not outcome.ran or (outcome.figure is None and not outcome.problems):
        return 0.0
    if outcome.figure is None or not math.isfinite(outcome.figure):
        return math.inf
    if outcome.unit == UNIT_DECIBELS:
        return float(10.0 ** ((outcome.limit - outcome.figure) / 20.0))
    if outcome.problems and outcome.figure <= outcome.limit:
        return math.inf  # NaN, infinity, another dtype or shape
    return outcome.figure / outcome.limit if outcome.limit else (math.inf if outcome.figure else 0.0)

"""How much may be spent on adequacy: counts of evaluations, so that equal builds look equally hard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kexport.factory.adequacy.traced_weights import TracedWeight

_MANY_WEIGHTS = 1_000_000


@dataclass(frozen=True)
class Allowance:
    """How much may be tried.

    Attributes:
        views: goldens whose gradients are taken.
        calls: of the function with a changed weight.
        tries: inputs that are sought first.
        more_tries: inputs that are sought where a whole weight or output could be seen and is not.
        rows: samples of a sought input.
        magnitudes: how far beyond the domains inputs are sought, in their widths.
        each: how many inputs of each magnitude.
        parts: whether parts of weights are worth a golden.
        both: whether each view is looked at through both projections of the outputs, in place of one in turn.
    """

    views: int
    calls: int
    tries: int
    more_tries: int
    rows: int
    magnitudes: Sequence[float]
    each: int
    parts: bool
    both: bool

    @classmethod
    def of(cls, weights: Sequence[TracedWeight]) -> Allowance:
        """What a model with these weights is worth: with many of them, each call takes long."""
        many = sum(weight.value.size for weight in weights) > _MANY_WEIGHTS
        return _HEAVY if many else _LIGHT


_LIGHT = Allowance(1000, 400, 8, 64, 8, (3.0, 10.0, 100.0, 1e3, 1e4, 1e6), 2, parts=True, both=True)
_HEAVY = Allowance(2, 12, 1, 3, 2, (10.0, 1e6), 1, parts=False, both=False)

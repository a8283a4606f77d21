"""How far an output may be from the truth, derived from the error of float arithmetic itself.

The noise floor of an output is the distance of Keras' own result from the truth, over all goldens, relative to the
largest magnitude of the truth. Correct artifacts stay within four times the floor; a wrong weight, axis or epsilon is
orders of magnitude above it. A model of very few operations may by luck have a floor near zero, hence a least limit of
a few units in the last place of the scale.

Other kernels add up in other orders. The host's, and ONNX Runtime's, sum in 8 or 16 lanes, and lanes of n/16 numbers
each lose sqrt(16) = 4 times less than one sum of n numbers (the rounding errors of a running sum of random numbers add
up to n/sqrt(2) units: Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, section 4.2). Measured on
ImageNet networks with random weights: ONNX Runtime 0.6 to 1 times the floor, XNNPACK up to 3.3, LiteRT's reference
kernels 7; XNNPACK 9 in a group normalisation of equal numbers, whose mean is some units off. So a runtime states in
`accumulation_factor` how much more the order of its kernels costs.

Where one unit in the last place of inputs, weights and operations inside moves an element of the truth by more than the
limit, the model itself is ill-conditioned: the limit of that element is `FLOOR_MULTIPLE` times that movement. So that
there is no step, its own limit begins to grow where it moves by half of the limit. Where its own limit is more than
`LARGEST_LIMIT` (a rounding edge, a pole), or the movement makes another whole number (a tie), an element that is
neither the truth nor what Keras computes is set apart: it neither fails nor hides a failure.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kexport.bundle.limits import DECLARED, OutputLimit
from kexport.bundle.precision import BUDGET
from kexport.bundle.signature import Array, TensorSpec
from kexport.errors import UsageError, require_known

FLOOR_MULTIPLE = 4.0
LEAST_ULPS = 4.0
#: The source of the limit of an output whose values are not rounded.
EXACT = "exact"
#: The source of a limit for artifacts without a manifest.
PERTURBED = "one-ulp perturbation of inputs"
#: The same where no floor can be measured, because whole numbers and strings cannot be nudged. Of 388 layers and their
#: exports none was between 1e-5 and 1e-4 of the scale from the truth: the limit is half of 3e-5, for each of two.
UNMEASURED, UNMEASURED_LIMIT = "no input can be nudged", 1.5e-5
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
        spec: the specification of the output.
        scale: the largest finite magnitude of the truth over all goldens.
        noise: the largest absolute distance of Keras' own result from it.
        source: how the noise was measured.
    """
    if not spec.is_float:
        return OutputLimit(spec.name, 1.0, 0.0, 0.0, EXACT)
    scale = scale or 1.0  # an output that is always zero has no scale of its own
    floor = noise / scale
    # The truth is float64 even where the model computes in float32: the output's dtype decides.
    limit = max(FLOOR_MULTIPLE * floor, LEAST_ULPS * EPSILON[spec.dtype])
    return OutputLimit(spec.name, float(scale), float(floor), float(limit), source)


def for_kernels(limit: OutputLimit, accumulation_factor: float) -> OutputLimit:
    """The limit for a runtime whose order of summation costs `accumulation_factor` times what the host's does."""
    if limit.source == DECLARED:
        return limit
    return replace(limit, limit=max(limit.limit, FLOOR_MULTIPLE * accumulation_factor * limit.floor))


def own_limits(limit: OutputLimit, ulp_sensitivity: Array) -> Array:
    """The limits of sensitive elements, in the unit of the output."""
    from_half = limit.absolute + 2 * (FLOOR_MULTIPLE - 1) * (ulp_sensitivity - limit.sensitive)
    return np.minimum(FLOOR_MULTIPLE * ulp_sensitivity, from_half)


def between(one: OutputLimit, other: OutputLimit) -> OutputLimit:
    """How far two artifacts may be from each other, each of which may be from the truth by its limit."""
    scale = max(one.scale, other.scale)
    shares = one.scale / scale, other.scale / scale
    apart = [each.amplitude * share for each, share in zip((one, other), shares, strict=True)]
    sources = list(dict.fromkeys((one.source, other.source)))
    return replace(
        one,
        scale=scale,
        floor=one.floor * shares[0] + other.floor * shares[1],
        limit=one.limit * shares[0] + other.limit * shares[1],
        # What was stated for one side, by a person or as a budget, is judged however wide it is.
        source=next((stated for stated in (DECLARED, BUDGET) if stated in sources), " and ".join(sources)),
        reason="; ".join(dict.fromkeys(each.reason for each in (one, other) if each.reason)),
        decibels=-20 * math.log10(sum(apart)) if (one.decibels, other.decibels) != (None, None) else None,
    )


@dataclass(frozen=True)
class Tolerance:
    """A limit that a person declares for an output.

    Attributes:
        limit: the largest distance, relative to the output's scale; for whole numbers the largest difference.
        decibels: the least ratio of signal to error, in place of `limit`.
        reason: why it is declared.
    """

    limit: float | None = None
    decibels: float | None = None
    reason: str = ""

    @classmethod
    def parse(cls, text: str) -> Tolerance:
        """The tolerance that `1e-4`, `1e-4: 12-bit sensor` or `40dB: int8 weights` declares.

        Raises:
            UsageError: the text holds no positive number, or an unknown unit.
        """
        match = re.fullmatch(r"\s*([0-9.]+(?:[eE][-+]?[0-9]+)?)\s*(dB)?\s*(?::\s*(.*))?", text, re.DOTALL)
        try:
            value = float(match[1]) if match else 0.0
        except ValueError:
            value = 0.0
        if not match or not 0 < value < float("inf"):
            raise UsageError(
                f"unreadable tolerance {text!r}",
                expected="a number above 0, with dB if it is a ratio, and optionally a reason after a colon",
                hint="for example 1e-4, '1e-4: 12-bit sensor', '40dB: int8 weights'",
            )
        return cls(None, value, match[3] or "") if match[2] else cls(value, None, match[3] or "")

    @classmethod
    def of(cls, value: Tolerance | str | float) -> Tolerance:
        """The tolerance that an argument means: itself, its text, or the largest relative distance.

        Raises:
            UsageError: it cannot be read.
        """
        return value if isinstance(value, cls) else cls.parse(str(value))

    def __str__(self) -> str:
        size = f"{self.limit!r}" if self.decibels is None else f"{self.decibels!r}dB"
        return size + (f": {self.reason}" if self.reason else "")


def declared(
    limits: Iterable[OutputLimit], tolerances: Mapping[str, Tolerance | str | float]
) -> tuple[OutputLimit, ...]:
    """The limits, with declared ones replacing the derived ones.

    Raises:
        UsageError: a tolerance is given for something that is not an output, or is a ratio for an output that
            is not real-valued.
    """
    limits = tuple(limits)
    names = [limit.output for limit in limits]
    read = {name: Tolerance.of(value) for name, value in tolerances.items()}
    for name in read:
        require_known(name, names, f"a tolerance is given for {name!r}, which is not an output of the model")
    for limit in limits:
        if limit.source == EXACT and (tolerance := read.get(limit.output)) and tolerance.decibels is not None:
            raise UsageError(
                f"output {limit.output!r} is not real-valued: a signal-to-error ratio cannot be declared",
                expected="the largest difference, such as 1",
            )
    return tuple(_replaced(limit, read.get(limit.output)) for limit in limits)


def declaration(limit: OutputLimit) -> str:
    """The sentence of a report about a limit that a person set."""
    size = f"{limit.decibels:g} dB" if limit.decibels is not None else f"{limit.limit:g}"
    return f"the limit of output {limit.output}, {size}, was declared" + (f": {limit.reason}" if limit.reason else "")


def _replaced(limit: OutputLimit, tolerance: Tolerance | None) -> OutputLimit:
    if tolerance is None:
        return limit
    size = limit.limit if tolerance.limit is None else tolerance.limit
    return replace(limit, limit=float(size), source=DECLARED, reason=tolerance.reason, decibels=tolerance.decibels)


def robust_floor(noises: Sequence[Array], scale: float, epsilon: float) -> float:
    """The noise floor over the samples on which the model is well-conditioned, relative to the scale.

    At a rounding edge the noise is a whole step, which is no noise of arithmetic: samples with noise beyond `_OUTLIER`
    times the median (or times one unit in the last place, for models of few operations) are left out.

    Args:
        noises: for each golden, the absolute noise of each element; the first axis counts the samples.
        scale: the scale of the output.
        epsilon: one unit in the last place of 1 in the model's arithmetic.
    """
    rows = np.concatenate([by_row(noise) for noise in noises]) / scale if noises else np.zeros(0)
    if not rows.size:
        return 0.0
    usual = _OUTLIER * max(float(np.median(rows)), epsilon)
    return float(rows[rows <= usual].max(initial=0.0))


_OUTLIER = 32.0


def by_row(values: Array) -> Array:
    """The largest value of each sample."""
    if values.ndim == 0 or values.size == 0:
        return values.reshape(-1)
    return np.asarray(values.reshape(len(values), -1).max(axis=1, initial=0.0))


def largest(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """The largest finite magnitude, 0 when there is none."""
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max()) if finite.size else 0.0

"""The counts and powers of a comparison, summed over its goldens."""

from __future__ import annotations

import math

import numpy as np

from kexport.bundle.json_text import Json
from kexport.bundle.signature import Array

_EXPONENTS = 2048  # of float64, 11 bits; biased by 1023
_BIAS = 1023
_MANTISSA = 52  # bits


class Tally:
    """Counts of samples and elements, the power of signal and error, and changed labels of one output.

    Attributes:
        samples: how many samples were compared.
        elements: how many elements were compared.
        excluded: elements that differ, and cannot be judged.
        samples_excluded: samples with such an element.
        ill_conditioned: elements judged by a wider limit.
        as_in_keras: elements that agree with Keras in float32 rather than with the truth.
        label_flips: rows of scores in which another column is the largest; None for outputs that are not scores.
    """

    def __init__(self) -> None:
        self.samples = self.elements = 0
        self.excluded = self.samples_excluded = 0
        self.ill_conditioned = self.as_in_keras = 0
        self.label_flips: int | None = None
        self._signal = self._error = 0.0
        self._exponents = np.zeros(_EXPONENTS, np.int64)

    def add_golden(self, truth: Array) -> None:
        """Count its samples and elements."""
        self.samples += len(truth) if truth.ndim else 1
        self.elements += truth.size

    def add_excluded(self, mask: Array) -> None:
        """Count the elements that cannot be judged."""
        self.excluded += int(mask.sum())
        self.samples_excluded += int(mask.reshape(len(mask), -1).any(axis=1).sum()) if mask.ndim else int(mask)

    def add_label_flips(self, truth: Array, value: Array) -> None:
        """Count the rows, each with one score a class, in which another score is the largest."""
        flips = int((truth.argmax(axis=1) != value.argmax(axis=1)).sum())
        self.label_flips = flips + (self.label_flips or 0)

    def add_power(self, truth: Array, error: Array) -> None:
        """Add the power of the signal and of its error; NaN and infinity have none, such a golden is left out."""
        signal = np.abs(truth).ravel() if truth.dtype.kind == "c" else truth.ravel()
        power = _power(signal)
        if math.isfinite(power):
            self._signal += power
            self._error += _power(error.ravel())

    def add_errors(self, error: Array) -> None:
        """Count the sizes of errors, which are not negative, by their power of two: the bits of their exponents."""
        bits = error.astype(np.float64, copy=False).ravel().view(np.int64)
        self._exponents += np.bincount(bits >> _MANTISSA, minlength=_EXPONENTS)

    def distribution(self, scale: float) -> dict[str, Json]:
        """How many elements err by how much, relative to the output's scale.

        Returns:
            `exact`, how many do not err at all; `counts`, how many err by at least `from`, by twice that, and so on.
        """
        exact, found = int(self._exponents[0]), np.flatnonzero(self._exponents[1:]) + 1
        if not len(found) or not scale:
            return {"exact": exact, "from": 0.0, "counts": []}
        first, last = int(found[0]), int(found[-1])
        counts = [int(count) for count in self._exponents[first : last + 1]]
        return {"exact": exact, "from": 2.0 ** (first - _BIAS) / scale, "counts": counts}

    @property
    def decibels(self) -> float | None:
        """The ratio of signal to error; None when there is no error."""
        if self._error == 0.0:
            return None
        ratio = self._signal / self._error  # 0 where the error is infinite
        return 10.0 * math.log10(ratio) if ratio > 0.0 else -math.inf

    @property
    def mostly_excluded(self) -> bool:
        """Whether more than half of the elements cannot be judged."""
        return 2 * self.excluded > self.elements

    def remarks(self) -> list[str]:
        """Remarks about the counts for the reader."""
        remarks = []
        if self.as_in_keras:
            remarks.append(f"{self.as_in_keras} elements match Keras, but not float64")
        if self.label_flips:
            remarks.append(f"in {self.label_flips} of {self.samples} rows a different score is the largest")
        if self.excluded:
            remarks.append(
                f"{self.excluded} elements in {self.samples_excluded} of {self.samples} samples are set apart: they "
                "differ where one unit in the last place changes the value"
            )
        if self.ill_conditioned:
            remarks.append(f"{self.ill_conditioned} elements have a wider limit: the model is ill-conditioned there")
        return remarks

    def counts(self) -> dict[str, int]:
        """The counts by their names in a report."""
        return {
            "samples": self.samples,
            "elements": self.elements,
            "set_apart": self.excluded,
            "samples_set_apart": self.samples_excluded,
            "ill_conditioned": self.ill_conditioned,
        }


def _power(values: Array) -> float:
    """The sum of squares; not a dot product, whose threads would wait for each other on a busy machine."""
    return float(np.einsum("i,i->", values, values))

"""Recorded inputs with a label each, in calls of a size that a model takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from kexport.bundle.declared_domain import coerce
from kexport.bundle.domain import Samples
from kexport.bundle.signature import Array, Signature
from kexport.errors import InputError, UsageError

_MOST_ROWS, _MOST_BYTES = 256, 1 << 22  # of one call


@dataclass(frozen=True)
class LabelledSamples:
    """Recorded inputs and labels.

    Attributes:
        inputs: the samples of each input, along the first axis, in its dtype.
        labels: along the first axis.
        block: how many samples a model takes at a time; 0 for any number.
    """

    inputs: Mapping[str, Array]
    labels: Array
    block: int = 0

    @classmethod
    def of(cls, signature: Signature, arrays: Mapping[str, Array], labels: Array) -> LabelledSamples:
        """The samples and labels of a model.

        Raises:
            UsageError: an input has no samples, or they do not fit it.
            InputError: their numbers differ.
        """
        inputs: dict[str, Array] = {}
        for spec in signature.inputs:
            if spec.name not in arrays:
                raise UsageError(
                    f"a metric needs recorded samples of every input, and {spec.name!r} has none",
                    got=f"samples of {', '.join(arrays)}" if arrays else None,
                    hint="--samples FILE: a .npz with arrays by input name, a .npy or a .csv",
                )
            domain = coerce(spec.name, arrays[spec.name], spec)
            if not isinstance(domain, Samples) or not spec.shape:
                raise UsageError(f"input {spec.name!r} has no recorded samples, which a metric needs")
            inputs[spec.name] = domain.values
            if len(domain.values) != len(labels):
                raise InputError(
                    "the labels and the samples differ in number",
                    got=f"{len(labels)} labels",
                    expected=f"{len(domain.values)}, as many as samples of input {spec.name!r}",
                )
        sizes = {spec.shape[0] for spec in signature.inputs if spec.shape[0] is not None}
        if len(sizes) > 1:
            raise UsageError("the inputs take different numbers of samples", got=sorted(sizes))
        return cls(inputs, labels, next(iter(sizes), 0))

    def __len__(self) -> int:
        return len(self.labels)

    def calls(self) -> Iterator[tuple[dict[str, Array], int]]:
        """The inputs of each call, and how many of its samples count: the last one fills up the last block."""
        weight = sum(array.nbytes for array in self.inputs.values()) // len(self)
        rows = self.block or max(1, min(_MOST_ROWS, _MOST_BYTES // max(1, weight)))
        for start in range(0, len(self), rows):
            chosen = np.arange(start, start + rows)
            counting = int((chosen < len(self)).sum())
            if not self.block:
                chosen = chosen[:counting]
            chosen = np.minimum(chosen, len(self) - 1)
            yield {name: array[chosen] for name, array in self.inputs.items()}, counting

"""Distance of each sample from the reference, in multiples of the limit: the objective of a search.

`OutputComparison` decides whether a sample is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.parity.structure import as_text, structure_problem


def scores(
    signature: Signature,
    limits: Mapping[str, OutputLimit],
    values: Mapping[str, Array],
    references: Mapping[str, Array],
    batched: bool,
) -> Array:
    """For each sample, the largest distance of any output, in multiples of its limit: above 1 it may be wrong.

    Args:
        signature: the signature of the model.
        limits: the limit of each output.
        values: what a runtime computed.
        references: the reference outputs, of the same shapes.
        batched: whether the first axis of every output counts the samples; if not, the call is one sample.

    Returns:
        Float array of shape `(samples,)`; infinite where dtype, shape, NaN or infinity differ.
    """
    by_output = [_scores(spec, limits[spec.name], values[spec.name], references[spec.name], batched)
             for spec in signature.outputs]  # fmt: skip
    return np.asarray(np.max(by_output, axis=0))


def local(spec: TensorSpec, limit: OutputLimit, truth: Array) -> OutputLimit:
    """The limit of single elements of a sample, relative to the sample's scale if it exceeds the goldens'."""
    if not spec.is_float:
        return limit
    finite = np.abs(truth[np.isfinite(truth)])
    return replace(limit.of_one_case(), scale=max(limit.scale, float(finite.max(initial=0.0))))


def _scores(spec: TensorSpec, limit: OutputLimit, value: Array, reference: Array, batched: bool) -> Array:
    value = as_text(value)
    count = len(reference) if batched else 1
    if structure_problem(spec, reference, value):
        return np.full(count, np.inf)
    if value.size == 0:
        return np.zeros(count)
    if not spec.is_float:
        if limit.limit == 0 or value.dtype.kind == "U":
            differing = np.asarray(value != reference).reshape(count, -1)
            return np.where(differing.any(axis=1), 1.0 + differing.mean(axis=1), 0.0)
        sizes = np.abs(value.astype(np.float64) - reference.astype(np.float64)).reshape(count, -1)
        return np.asarray(sizes.max(axis=1) / limit.limit)
    with np.errstate(invalid="ignore", over="ignore"):  # infinity minus infinity
        apart = np.abs(value - reference).reshape(count, -1)
        magnitude = np.abs(reference).reshape(count, -1)
        worst, scale = apart.max(axis=1), magnitude.max(axis=1)
        odd = ~(np.isfinite(worst) & np.isfinite(scale))
        if odd.any():
            narrow = reference.astype(spec.numpy_dtype).reshape(count, -1)[odd]
            flat = value.reshape(count, -1)[odd]
            same = (flat == narrow) | (np.isnan(flat) & np.isnan(narrow))
            both = np.isfinite(flat) & np.isfinite(narrow)
            worst[odd] = np.where(both, apart[odd], np.where(same, 0.0, np.inf)).max(axis=1)
            scale[odd] = np.where(both, magnitude[odd], 0.0).max(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # outputs that are always zero have the limit zero
        return np.where(worst == 0, 0.0, worst / (limit.peak * np.maximum(limit.scale, scale)))


def row(outputs: Mapping[str, Array], index: int, batched: bool) -> dict[str, Array]:
    """The outputs of one sample, the first axis kept."""
    return {name: value[index : index + 1] if batched else value for name, value in outputs.items()}

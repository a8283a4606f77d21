"""A golden as adequacy looks at it: tensors in, and for each element of an output what counts as a change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kexport.bundle.goldens import Golden
from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.factory.graph.protocols import Tensor
from kexport.parity.tolerance import FLOOR_MULTIPLE, LARGEST_LIMIT
from kexport.runtimes.keras_model import to_tensor

#: What is seen moves an output by so many limits: the artifact that is compared has an error of its own.
SEEN = 2.0
#: How the labels of goldens begin that were sought because they see more.
SOUGHT = "sought: "
#: Another whole number or text is seen, however large the limit of rounding would be.
_OTHER = 1e6


@dataclass(frozen=True)
class View:
    """One call of the model.

    Attributes:
        label: of the golden.
        feeds: its inputs by name.
        tensors: the same, in the order of the traced function.
        rulers: for each output, one over the limit of each element; 0 where an element shows nothing.
        sizes: for each output, the magnitude of each element; 0 where it is no finite number.
    """

    label: str
    feeds: Mapping[str, Array]
    tensors: Sequence[Tensor]
    rulers: Sequence[Array]
    sizes: Sequence[Array]

    @property
    def is_sought(self) -> bool:
        """Whether it became a golden because it sees more."""
        return self.label.startswith(SOUGHT)

    @classmethod
    def of_golden(cls, signature: Signature, golden: Golden, limits: Sequence[OutputLimit]) -> View:
        """The view of a golden."""
        rulers = [
            _ruler(spec, golden.truth[spec.name], limit, golden.ulp_sensitivity.get(spec.name))
            for spec, limit in zip(signature.outputs, limits, strict=True)
        ]
        return cls(
            golden.label,
            golden.inputs,
            _tensors(signature, golden.inputs),
            rulers,
            _sizes(golden.truth[spec.name] for spec in signature.outputs),
        )

    @classmethod
    def of_outputs(
        cls, signature: Signature, feeds: Mapping[str, Array], outputs: Sequence[Array], limits: Sequence[OutputLimit]
    ) -> View:
        """The view of an input that is no golden yet, given what the model makes of it."""
        trios = zip(signature.outputs, outputs, limits, strict=True)
        return cls("", feeds, _tensors(signature, feeds), [_ruler(*trio) for trio in trios], _sizes(outputs))


def _sizes(outputs: Iterable[Array]) -> list[Array]:
    return [
        np.nan_to_num(np.abs(each), nan=0.0, posinf=0.0) if each.dtype.kind in "fc" else np.zeros(each.shape)
        for each in outputs
    ]


def _tensors(signature: Signature, feeds: Mapping[str, Array]) -> list[Tensor]:
    return [to_tensor(spec.dtype, feeds[spec.name]) for spec in signature.inputs]


def _ruler(spec: TensorSpec, truth: Array, limit: OutputLimit, sensitivity: Array | None = None) -> Array:
    """One over what each element may move unnoticed; 0 where it is set apart, NaN or infinite."""
    if not spec.is_float:
        return np.full(truth.shape, _OTHER) if sensitivity is None else _OTHER * (sensitivity == 0)
    sizes = np.abs(truth)
    scales = np.where(np.isfinite(sizes), np.maximum(sizes, limit.scale), limit.scale)
    allowed = limit.limit * (scales if sensitivity is None else np.full(truth.shape, limit.scale))
    hidden = ~np.isfinite(sizes)
    if sensitivity is not None:
        wide = FLOOR_MULTIPLE * sensitivity.astype(np.float64)
        sensitive = sensitivity > limit.absolute
        allowed = np.where(sensitive, wide, allowed)
        hidden = hidden | (sensitive & (wide > LARGEST_LIMIT * scales))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(hidden | (allowed <= 0), 0.0, 1.0 / allowed))

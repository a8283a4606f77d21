"""Comparing all outputs of a model with the truth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kexport.bundle.goldens import Golden
from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Array, Signature
from kexport.parity.outcome import Outcome
from kexport.parity.output_comparison import OutputComparison


class OutputsComparison:
    """Compares every output of a signature with the truth, golden after golden; none of them is kept in memory.

    Args:
        signature: the signature of the model.
        limits: one per output, in any order.
        one_case: whether a single case is compared, which may have nothing but NaN or infinity.
    """

    def __init__(self, signature: Signature, limits: Iterable[OutputLimit], *, one_case: bool = False) -> None:
        by_name = {limit.output: limit for limit in limits}
        self._comparisons = {
            spec.name: OutputComparison(spec, by_name[spec.name], one_case=one_case) for spec in signature.outputs
        }

    def add(
        self,
        label: str,
        truth: Mapping[str, Array],
        values: Mapping[str, Array],
        keras_output: Mapping[str, Array] | None = None,
        ulp_sensitivity: Mapping[str, Array] | None = None,
    ) -> None:
        """Compare one golden.

        Args:
            label: the label of the golden.
            truth: one array per output.
            values: what the runtime computed, likewise.
            keras_output: `Golden.keras_output`, for some outputs.
            ulp_sensitivity: `Golden.ulp_sensitivity`, for some outputs.
        """
        second, sensitivity = keras_output or {}, ulp_sensitivity or {}
        for name, comparison in self._comparisons.items():
            comparison.add(label, truth[name], values[name], second.get(name), sensitivity.get(name))

    def add_golden(self, golden: Golden, values: Mapping[str, Array]) -> None:
        """Compare what a runtime computed for a golden with it."""
        self.add(golden.label, golden.truth, values, golden.keras_output, golden.ulp_sensitivity)

    def outcomes(self) -> dict[str, Outcome]:
        """The results so far, by output, in the order of the signature."""
        return {name: comparison.outcome() for name, comparison in self._comparisons.items()}

"""Witnesses and counterexamples of an earlier build: a new bundle keeps their inputs, with the truth computed anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from kexport.bundle import counterexamples, store, witnesses
from kexport.bundle.contract_entries import ContractEntry
from kexport.bundle.goldens import Golden
from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Array, Signature
from kexport.bundle.witnesses import Witness
from kexport.errors import BundleError
from kexport.field.search import Reference
from kexport.parity.outputs import OutputsComparison

_SEED = 0


def carry_witnesses(
    target: Path, folder: Path, signature: Signature, reference: Reference, limits: Sequence[OutputLimit]
) -> None:
    """Copy the witnesses of the bundle at `target`, and of the one rejected there, into a new one.

    Args:
        target: where the new bundle will stand.
        folder: where it is written.
        signature: of the new model; witnesses that do not fit it are left out, and so are those on which the new model
            is ill-conditioned.
        reference: gives the truth of the new model.
        limits: the limits of its outputs.

    Raises:
        BundleError: the folder of the witnesses cannot be read.
    """
    for old in (target, store.rejected(target)):
        for path in witnesses.paths(old):
            try:
                witness = witnesses.read(old / path, signature)
                renewed = _renewed(witness, reference, limits)
                useful = _tells_right_from_wrong(renewed, signature, limits)
            except Exception:  # noqa: BLE001  a model may raise anything where it does not take an old input
                continue  # of another model, or damaged: it cannot be replayed
            if useful:
                witnesses.store(folder, renewed)


def carry_counterexamples(target: Path, folder: Path, signature: Signature, contracts: Sequence[ContractEntry]) -> None:
    """Copy the counterexamples of the bundle at `target`, and of the one rejected there, into a new one.

    Args:
        target: where the new bundle will stand.
        folder: where it is written.
        signature: the signature of the new model; what does not fit it is left out.
        contracts: the contracts of the new model; counterexamples to others are left out.

    Raises:
        BundleError: the folder of the counterexamples cannot be read.
    """
    for old in (target, store.rejected(target)):
        for path in counterexamples.paths(old):
            try:
                about, probe = counterexamples.read(old / path, signature)
            except BundleError:
                continue  # of another model, or damaged
            if any(counterexamples.same(about, entry) for entry in contracts):
                counterexamples.store(folder, about, probe)


def _tells_right_from_wrong(witness: Witness, signature: Signature, limits: Sequence[OutputLimit]) -> bool:
    """Whether the truth, rounded to the dtypes of the outputs, passes, and something else does not."""
    truth, scales = witness.golden.truth, {limit.output: limit.scale for limit in limits}
    with np.errstate(over="ignore"):
        right = {
            spec.name: truth[spec.name].astype(spec.numpy_dtype) if spec.is_float else truth[spec.name]
            for spec in signature.outputs
        }
    wrong = {name: _another(value, scales[name]) for name, value in right.items()}
    return _passes(witness, signature, limits, right) and not _passes(witness, signature, limits, wrong)


def _another(value: Array, scale: float) -> Array:
    """A value that differs in every element, clearly if it is a number."""
    if value.dtype.kind in "fc":
        return np.where(np.isfinite(value), value + 2 * scale, 0.0).astype(value.dtype)
    if value.dtype.kind in "US":
        return np.char.add(value, "?")
    return ~value if value.dtype.kind == "b" else value ^ 1


def _passes(witness: Witness, signature: Signature, limits: Sequence[OutputLimit], values: Mapping[str, Array]) -> bool:
    """Whether no output is found wrong."""
    comparison = OutputsComparison(signature, limits, one_case=True)
    comparison.add_golden(witness.golden, values)
    return all(outcome.passed or not outcome.ran for outcome in comparison.outcomes().values())


def _renewed(witness: Witness, reference: Reference, limits: Sequence[OutputLimit]) -> Witness:
    """The witness with the truth, the second answers and the limits of the new model."""
    conditioning = reference.conditioning(witness.golden.inputs, np.random.default_rng(_SEED))
    sensitive = {
        limit.output: moved
        for limit in limits
        if ((moved := conditioning.ulp_sensitivity[limit.output]) > limit.sensitive).any()
    }
    golden = Golden(
        witness.golden.label,
        witness.golden.inputs,
        conditioning.truth,
        conditioning.second_answers,
        sensitive,
    )
    return Witness(
        golden,
        "truth",
        {limit.output: limit.limit for limit in limits},
        {limit.output: limit.scale for limit in limits},
        witness.before,
    )

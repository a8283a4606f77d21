"""Witnesses and counterexamples of an earlier build: a new bundle keeps their inputs, with the truth computed anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kexport.bundle import counterexamples, store, witnesses
from kexport.bundle.contract_entries import ContractEntry
from kexport.bundle.goldens import Golden
from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Signature
from kexport.bundle.witnesses import Witness
from kexport.errors import BundleError, InputError
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
    """
    for old in (target, store.rejected(target)):
        for path in witnesses.paths(old):
            try:
                witness = witnesses.read(old / path, signature)
                for call in (*witness.before, witness.golden.inputs):
                    signature.check(call)
                renewed = _renewed(witness, reference, limits)
                if _judges_truth_right(renewed, signature, limits):
                    witnesses.store(folder, renewed)
            except (BundleError, InputError, ValueError):
                continue  # of another model, or damaged: it cannot be replayed


def carry_counterexamples(target: Path, folder: Path, signature: Signature, contracts: Sequence[ContractEntry]) -> None:
    """Copy the counterexamples of the bundle at `target`, and of the one rejected there, into a new one.

    Args:
        target: where the new bundle will stand.
        folder: where it is written.
        signature: the signature of the new model; what does not fit it is left out.
        contracts: the contracts of the new model; counterexamples to others are left out.
    """
    for old in (target, store.rejected(target)):
        for path in counterexamples.paths(old):
            try:
                about, probe = counterexamples.read(old / path, signature)
            except BundleError:
                continue  # of another model, or damaged
            if any(counterexamples.same(about, entry) for entry in contracts):
                counterexamples.store(folder, about, probe)


def _judges_truth_right(witness: Witness, signature: Signature, limits: Sequence[OutputLimit]) -> bool:
    """Whether the truth, rounded to the dtypes of the outputs, passes."""
    truth = witness.golden.truth
    with np.errstate(over="ignore"):
        right = {
            spec.name: truth[spec.name].astype(spec.numpy_dtype) if spec.is_float else truth[spec.name]
            for spec in signature.outputs
        }
    comparison = OutputsComparison(signature, limits)
    comparison.add_golden(witness.golden, right)
    return all(outcome.passed for outcome in comparison.outcomes().values())


def _renewed(witness: Witness, reference: Reference, limits: Sequence[OutputLimit]) -> Witness:
    """The witness with the truth, the second answers and the limits of the new model."""
    conditioning = reference.conditioning(witness.golden.inputs, np.random.default_rng(_SEED))
    sensitive = {
        limit.output: moved
        for limit in limits
        if ((moved := conditioning.ulp_sensitivity[limit.output]) > limit.absolute).any()
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

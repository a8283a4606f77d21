"""Witnesses outlive a build: the inputs are kept, and what is true of them is computed anew."""

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
    target: Path, folder: Path, signature: Signature, truth: Reference, limits: Sequence[OutputLimit]
) -> None:
    """Put the witnesses of the bundle that stood at `target`, or was rejected there, into a new one.

    Args:
        target: where the new bundle will stand.
        folder: where it is written.
        signature: of the model now; witnesses that do not fit it any more are left out, and those on which it is
            ill-conditioned now.
        truth: what is right now.
        limits: of the outputs now.
    """
    for old in (target, store.rejected(target)):
        for path in witnesses.paths(old):
            try:
                known = witnesses.read(old / path, signature)
                for call in (*known.before, known.golden.inputs):
                    signature.check(call)
                renewed = _renewed(known, truth, limits)
                if _tells(renewed, signature, limits):
                    witnesses.store(folder, renewed)
            except (BundleError, InputError, ValueError):
                continue  # of another model, or damaged: nothing that can be replayed


def carry_counterexamples(target: Path, folder: Path, signature: Signature, contracts: Sequence[ContractEntry]) -> None:
    """Put what broke a contract of the bundle that stood at `target`, or was rejected there, into a new one.

    Args:
        target: where the new bundle will stand.
        folder: where it is written.
        signature: of the model now; what does not fit it any more is left out.
        contracts: of the model now; what broke others says nothing of it.
    """
    for old in (target, store.rejected(target)):
        for path in counterexamples.paths(old):
            try:
                about, probe = counterexamples.read(old / path, signature)
            except BundleError:
                continue  # of another model, or damaged
            if any(counterexamples.same(about, promised) for promised in contracts):
                counterexamples.store(folder, about, probe)


def _tells(witness: Witness, signature: Signature, limits: Sequence[OutputLimit]) -> bool:
    """Whether the right outputs would be found right."""
    truth = witness.golden.truth
    with np.errstate(over="ignore"):
        right = {
            spec.name: truth[spec.name].astype(spec.numpy_dtype) if spec.is_float else truth[spec.name]
            for spec in signature.outputs
        }
    comparison = OutputsComparison(signature, limits)
    comparison.add_golden(witness.golden, right)
    return all(outcome.passed for outcome in comparison.outcomes().values())


def _renewed(witness: Witness, truth: Reference, limits: Sequence[OutputLimit]) -> Witness:
    known = truth.conditioning(witness.golden.inputs, np.random.default_rng(_SEED))
    moves = {
        limit.output: moved
        for limit in limits
        if ((moved := known.ulp_sensitivity[limit.output]) > limit.absolute).any()
    }
    golden = Golden(witness.golden.label, witness.golden.inputs, known.truth, known.second_answers, moves)
    return Witness(
        golden, "truth", {limit.output: limit.limit for limit in limits}, {n.output: n.scale for n in limits},
        witness.before,
    )  # fmt: skip

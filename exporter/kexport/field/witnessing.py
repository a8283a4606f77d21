"""Witnesses outlive a build: the inputs are kept, and what is true of them is computed anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kexport.bundle import store, witnesses
from kexport.bundle.goldens import Golden
from kexport.bundle.manifest import OutputLimit
from kexport.bundle.signature import Signature
from kexport.bundle.witnesses import Witness
from kexport.errors import BundleError, InputError
from kexport.field.judging import Truth, second_answers

_SEED = 0


def carried_over(
    target: Path, folder: Path, signature: Signature, truth: Truth, limits: tuple[OutputLimit, ...]
) -> None:
    """Put the witnesses of the bundle that stood at `target`, or was rejected there, into a new one.

    Args:
        target: where the new bundle will stand.
        folder: where it is written.
        signature: of the model now; witnesses that do not fit it any more are left out.
        truth: what is right now.
        limits: of the outputs now.
    """
    for old in (target, store.rejected(target)):
        for path in witnesses.paths(old):
            try:
                known = witnesses.read(old / path, signature)
                for call in (*known.before, known.golden.inputs):
                    signature.check(call)
                witnesses.store(folder, _renewed(known, truth, limits))
            except (BundleError, InputError, ValueError):
                continue  # of another model, or damaged: nothing that can be replayed


def _renewed(witness: Witness, truth: Truth, limits: tuple[OutputLimit, ...]) -> Witness:
    known = truth.conditioning(witness.golden.inputs, np.random.default_rng(_SEED))
    moves = {
        limit.output: moved
        for limit in limits
        if ((moved := known.moves[limit.output]) > limit.limit * limit.scale).any()
    }
    golden = Golden(
        witness.golden.label, witness.golden.inputs, known.truth, second_answers(known.truth, known.own), moves
    )
    return Witness(
        golden, "truth", {limit.output: limit.limit for limit in limits}, {n.output: n.scale for n in limits},
        witness.before,
    )  # fmt: skip

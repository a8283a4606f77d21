"""The truth of a model: its outputs in float64, and how far its float32 outputs are from them."""

from kexport.factory.truth.carried_witnesses import carry_counterexamples, carry_witnesses
from kexport.factory.truth.goldens import PERTURBATION, TWIN, GoldenSet, establish, extend
from kexport.factory.truth.oracle import Oracle
from kexport.factory.truth.reference import TwinReference, of_bundle

__all__ = [
    "PERTURBATION",
    "TWIN",
    "GoldenSet",
    "Oracle",
    "TwinReference",
    "carry_counterexamples",
    "carry_witnesses",
    "establish",
    "extend",
    "of_bundle",
]

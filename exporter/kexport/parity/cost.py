"""How much a model computes, known without a clock: what a build records must not depend on how fast a machine is.

The measure is the size of an artifact in bytes times the numbers that one sample of the inputs holds: of MobileNetV2 at
96 pixels 4e11, of a small dense network 1e5. Where samples cannot form a batch, the calls cost more than what they
compute.
"""

from __future__ import annotations

import math

from kexport.bundle.signature import Signature

_HEAVY = 1e12
_TURNS, _TURNS_OF_HEAVY = 8, 2  # after eight turns a search has tried every kind of sample
_TURNS_ALONE = 1  # of hundreds of calls
_A_SECOND, _QUICK = 2000.0, 1e9  # evaluations of a model that computes no more than that
_A_SECOND_ALONE = 20.0
_UNKNOWN = 32  # the size of an axis that has none


def turns_told(artifact_bytes: int, signature: Signature) -> int:
    """How many turns of the search for a counterexample a build records, of an artifact with so many bytes."""
    if not _batched(signature):
        return _TURNS_ALONE
    return _TURNS_OF_HEAVY if _cost(artifact_bytes, signature) > _HEAVY else _TURNS


def evaluations_a_second(artifact_bytes: int, signature: Signature) -> float:
    """How many evaluations stand for a second where a build searches for a time."""
    most = _A_SECOND if _batched(signature) else _A_SECOND_ALONE
    return max(1.0, min(most, _A_SECOND * _QUICK / _cost(artifact_bytes, signature)))


def _batched(signature: Signature) -> bool:
    return all(spec.shape[:1] == (None,) for spec in (*signature.inputs, *signature.outputs))


def _cost(artifact_bytes: int, signature: Signature) -> float:
    sizes = [[_UNKNOWN if size is None else size for size in spec.shape[1:]] for spec in signature.inputs]
    return float(max(1, artifact_bytes) * max(1, sum(map(math.prod, sizes))))

"""What is true of the model: its outputs in float64, and how far its own float32 lies from them.

Truth is what Keras on TensorFlow computes eagerly for a twin of the model whose every float policy is float64, with
the same weights. Where no twin can be built, the model's own result stands for the truth, and the noise is what one
unit in the last place of inputs and weights moves it by. Elements that such a unit moves by more than the limit are
stored beside the truth, with how far they move: the model itself is ill-conditioned there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kexport.bundle.domain import Domain
from kexport.bundle.goldens import Golden
from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Array, TensorSpec
from kexport.errors import ModelError, located
from kexport.factory.graph import interpolation
from kexport.factory.trace.program import Program
from kexport.factory.truth.oracle import Oracle
from kexport.parity import golden_inputs
from kexport.parity.conditioning import distance, movement, widened
from kexport.parity.strictness import Strictness
from kexport.parity.tolerance import EXACT, FLOOR_MULTIPLE, largest, limit_for, robust_floor

TWIN = "float64 twin"
PERTURBATION = "one-ulp perturbation"
_PERTURBATIONS = 4
_SUSPICIOUS = 100.0  # units in the last place of the output's scale; below it a twin is taken at its word
_ANOTHER_FUNCTION = 100.0  # so many times what one ulp does to the model is no rounding any more

_Results = Sequence[list[Array]]


@dataclass(frozen=True)
class GoldenSet:
    """Goldens, and the limit of each output.

    Attributes:
        goldens: what goes in, and what is true of what comes out.
        limits: one an output.
        ulp: one unit in the last place, relative to 1, of the coarsest arithmetic in the model.
    """

    goldens: list[Golden]
    limits: Sequence[OutputLimit]
    ulp: float

    def declaring(self, strictness: Strictness) -> GoldenSet:
        """The same goldens, with declared limits in place of the derived ones.

        Raises:
            UsageError: a limit is declared for something that is no output, or does not fit its dtype.
        """
        return replace(self, limits=strictness.limits(self.limits))


def establish(program: Program, oracle: Oracle, domains: Mapping[str, Domain]) -> GoldenSet:
    """Run the model and its twin on every planned case; without a twin that can be trusted, perturb the model.

    Raises:
        ModelError: the model fails on its own domain.
    """
    planned = list(golden_inputs.plan(program.signature, domains, lambda feeds: _refusal(program, feeds)))
    arrays = [[feeds[spec.name] for spec in program.signature.inputs] for _, feeds in planned]
    try:
        owns = oracle.own(arrays)
    except Exception as error:  # the model's own code may raise anything
        raise ModelError(
            f"model {program.model.name!r} fails on inputs from their domains",
            got=located(error),
            expected="; ".join(f"{name} in {domain}" for name, domain in domains.items()),
            hint="declare the domain of each input, or give recorded samples",
        ) from error
    rng = np.random.default_rng(golden_inputs.SEED)
    trues = oracle.truth(arrays)
    if trues is not None and _shapes(trues) != _shapes(owns):
        trues = None  # it depends on the size of a number in memory, for one
    weights = trues is None or oracle.light
    others = [oracle.nudged(arrays, rng, weights=weights) for _ in range(_PERTURBATIONS if weights else 1)]
    source = TWIN
    if trues is not None and not _rounding_alone(program, oracle, arrays, owns, trues, others if weights else None):
        trues = None  # it is another function: the configuration does not tell all of the model
        others = others if weights else [oracle.nudged(arrays, rng) for _ in range(_PERTURBATIONS)]
    if trues is None:
        source = PERTURBATION
        trues = [[widened(value) for value in own] for own in owns]
    sizes = [size for each in arrays for array in each for size in array.shape]
    least = interpolation.noise(program.core, max(sizes, default=1))
    return _measured(program, oracle, planned, owns, trues, others, source, least)


def _shapes(results: _Results) -> list[tuple[int, ...]]:
    return [value.shape for each in results for value in each]


def _rounding_alone(
    program: Program,
    oracle: Oracle,
    arrays: _Results,
    owns: _Results,
    trues: _Results,
    others: Sequence[_Results] | None,
) -> bool:
    """Whether the twin differs from the model no more than rounding makes it: little, or as one ulp makes it."""
    apart = _largest_noises(program, owns, trues)
    suspicious = _SUSPICIOUS * oracle.epsilon
    if (apart < suspicious).all():
        return True
    if others is None:
        rng = np.random.default_rng(golden_inputs.SEED)
        others = [oracle.nudged(arrays, rng) for _ in range(_PERTURBATIONS)]
    wide = [[widened(value) for value in own] for own in owns]
    moved = np.max([_largest_noises(program, other, wide) for other in others], axis=0)
    return bool((apart < suspicious + _ANOTHER_FUNCTION * moved).all())


def _largest_noises(program: Program, values: _Results, truths: _Results) -> Array:
    """Of each output: the largest distance over all cases, relative to its scale; infinite when shapes differ."""
    noises = np.zeros(len(program.signature.outputs))
    for index, spec in enumerate(program.signature.outputs):
        if spec.is_float:
            pairs = [(value[index], truth[index]) for value, truth in zip(values, truths, strict=True)]
            if any(value.shape != truth.shape for value, truth in pairs):
                noises[index] = np.inf
                continue
            scale = max((_scale(value, truth) for value, truth in pairs), default=0.0) or 1.0
            noises[index] = max((distance(*pair).max(initial=0.0) for pair in pairs), default=0.0) / scale
    return noises


def _measured(
    program: Program,
    oracle: Oracle,
    planned: Sequence[tuple[str, golden_inputs.Feeds]],
    owns: _Results,
    trues: _Results,
    others: Sequence[_Results],
    source: str,
    least_floor: float,
) -> GoldenSet:
    """Goldens and limits, from the model's own results, the true ones, and those on nudged inputs."""
    named = [program.signature.named_outputs(true) for true in trues]
    also: list[dict[str, Array]] = [{} for _ in planned]
    moves: list[dict[str, Array]] = [{} for _ in planned]
    limits = []
    for index, spec in enumerate(program.signature.outputs):
        own, true = [each[index] for each in owns], [each[index] for each in trues]
        other = [[each[case][index] for each in others] for case in range(len(planned))]
        moved = [movement(spec, *each) for each in zip(own, true, other, strict=True)]
        noise = moved
        if source == TWIN and spec.is_float:
            noise = [distance(*pair) for pair in zip(own, true, strict=True)]
        limit = _limit(spec, own, true, noise, source, oracle.epsilon, least_floor)
        limits.append(limit)
        for case in range(len(planned)):
            if _another_answer(spec, own[case], true[case]):
                also[case][spec.name] = own[case]
            if (moved[case] > limit.absolute).any():
                moves[case][spec.name] = moved[case]
    goldens = [Golden(label, feeds, *parts) for (label, feeds), *parts in zip(planned, named, also, moves, strict=True)]
    return GoldenSet(goldens, limits, oracle.epsilon)


def _limit(
    spec: TensorSpec,
    own: Sequence[Array],
    true: Sequence[Array],
    noise: Sequence[Array],
    source: str,
    epsilon: float,
    least_floor: float,
) -> OutputLimit:
    if not spec.is_float:
        return limit_for(spec, 1.0, 0.0, source)
    scale = max(map(_scale, own, true), default=0.0) or 1.0
    finite = [np.where(np.isfinite(each), each, 0.0) for each in noise]
    limit = limit_for(spec, scale, robust_floor(finite, scale, epsilon) * scale, source)
    if limit.source == EXACT:
        return limit
    floor = max(limit.floor, least_floor)
    return replace(limit, floor=floor, limit=max(limit.limit, FLOOR_MULTIPLE * floor))


def _another_answer(spec: TensorSpec, own: Array, true: Array) -> bool:
    """Whether float arithmetic makes another answer of it: another whole number, or NaN or infinity elsewhere."""
    if own.shape != true.shape:
        return False
    if not spec.is_float:
        return not np.array_equal(own, true)
    with np.errstate(over="ignore"):
        return not np.array_equal(np.isfinite(own), np.isfinite(true.astype(spec.numpy_dtype)))


def _scale(own: Array, true: Array) -> float:
    """The largest magnitude of the truth where the model itself has a number."""
    return largest(true[np.isfinite(own)] if own.shape == true.shape else true)


def _refusal(program: Program, feeds: golden_inputs.Feeds) -> str | None:
    """Why the model does not take these feeds, None when it does."""
    try:
        program.interface.run(program.model, list(feeds.values()))
    except Exception as error:  # noqa: BLE001  the model's own code may raise anything
        return located(error)
    return None

"""The results of a model and its float64 twin on the planned cases, and whether both are the same function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from kexport.bundle.signature import Array, Signature
from kexport.factory.truth.oracle import Oracle
from kexport.parity import golden_inputs
from kexport.parity.conditioning import distance, widened
from kexport.parity.tolerance import largest

_DRAWS = 2
_DECIDED = 1 << 12  # units in the last place of the scale; rounding that moves a result so far decides between answers
_MORE_DRAWS = 12  # so that all of the answers are seen
_SUSPICIOUS = 100.0  # units in the last place of the output's scale; a twin that is nearer is not doubted
_ANOTHER_FUNCTION = 100.0  # so many times what one ulp does to the model is no rounding any more

#: Of each case, the flat outputs or inputs.
Results = Sequence[list[Array]]


@dataclass(frozen=True)
class ModelRuns:
    """Results on every planned case.

    Attributes:
        keras: what the model itself computes, in the dtypes of its outputs.
        truth: what is true; real outputs are float64.
        nudged: of each case, what the model computes when inputs, weights and operations move by one unit in the last
            place: flat outputs of each draw.
        by_twin: whether the truth is that of a float64 twin; without one it is the model's own result.
    """

    keras: Results
    truth: Results
    nudged: Sequence[Results]
    by_twin: bool

    @classmethod
    def of(cls, oracle: Oracle, signature: Signature, cases: Results, keras: Results) -> ModelRuns:
        """Run the twin, and the model on nudged cases; the twin's results are the truth unless it is another function.

        Args:
            oracle: the model and its twin.
            signature: the signature of the model.
            cases: flat inputs of each.
            keras: what the model computes of them.
        """
        rng = np.random.default_rng(golden_inputs.SEED)
        truth = oracle.truth(cases)
        if truth is not None and _shapes(truth) != _shapes(keras):
            truth = oracle.truth(cases) if oracle.without_graph() else None
        if truth is not None and _shapes(truth) != _shapes(keras):
            truth = None  # a shape depends on the size of a number in memory, for one
        thorough = truth is None or oracle.light
        draws: Sequence[Results] = (
            _draws(oracle, cases, rng) if thorough else _by_case([oracle.noisy_outputs(cases, rng, 0)])
        )
        if oracle.light and not oracle.served:  # whose operations run one by one, in minutes
            draws = _more_where_rounding_decides(oracle, signature, cases, (keras, draws))
        if truth is not None:
            apart = _noises(signature, keras, truth)
            suspicious = _SUSPICIOUS * oracle.epsilon
            if (apart < suspicious).all():
                return cls(keras, truth, draws, by_twin=True)
            judged = draws if thorough else _draws(oracle, cases, np.random.default_rng(golden_inputs.SEED))
            # Keras' own order of a long sum may be the worst of all: then none of the draws is far from it.
            exact = oracle.exactly_summed_outputs(cases)
            judged = judged if exact is None else [[*each, one] for each, one in zip(judged, exact, strict=True)]
            moved = _movements(signature, keras, judged)
            if (apart < suspicious + _ANOTHER_FUNCTION * moved).all():
                return cls(keras, truth, draws, by_twin=True)
            if oracle.without_graph():
                return cls.of(oracle, signature, cases, keras)
            if not thorough:  # the configuration that the twin was made from does not say all of the model
                draws = _draws(oracle, cases, rng)
        return cls(keras, _widened(keras), draws, by_twin=False)

    def followed_by(self, more: ModelRuns) -> ModelRuns | None:
        """These results and those of further cases; None where their truths are not of one kind."""
        if self.by_twin != more.by_twin:
            return None
        keras, truth, nudged = [*self.keras, *more.keras], [*self.truth, *more.truth], [*self.nudged, *more.nudged]
        return ModelRuns(keras, truth, nudged, self.by_twin)


def scale_of(keras: Array, truth: Array) -> float:
    """The largest magnitude of the truth where the model itself has a finite number."""
    return largest(truth[np.isfinite(keras)] if keras.shape == truth.shape else truth)


def _draws(oracle: Oracle, cases: Results, rng: Generator) -> list[Results]:
    """Of each case, what the model computes when inputs and weights, operations inside, or the order of sums differ."""
    draws: list[Results] = [oracle.nudged_outputs(cases, rng) for _ in range(_DRAWS)]
    draws += [
        oracle.noisy_outputs(cases, rng, draw)
        for draw in range(1 if oracle.can_nudge_inputs and oracle.can_nudge_weights else _DRAWS)
    ]
    reordered = oracle.reordered_outputs(cases)
    return _by_case(draws if reordered is None else [*draws, reordered])


def _more_where_rounding_decides(
    oracle: Oracle, signature: Signature, cases: Results, known: tuple[Results, Sequence[Results]]
) -> Sequence[Results]:
    """The draws, and more of those cases where rounding decides, as in the order of equal numbers.

    Args:
        oracle: the model.
        signature: its signature.
        cases: flat inputs of each.
        known: what the model computes of each, and what it computes of each in every draw.
    """
    keras, draws = known
    numbers = [index for index, spec in enumerate(signature.outputs) if spec.is_float]
    scale = {index: max(scale_of(outputs[index], outputs[index]) for outputs in keras) or 1.0 for index in numbers}

    def decided(outputs: list[Array], draw: list[Array]) -> bool:
        return any(
            distance(other, widened(own)).max(initial=0.0) > _DECIDED * oracle.epsilon * scale[index]
            if index in scale and own.shape == other.shape
            else not np.array_equal(own, other)
            for index, (own, other) in enumerate(zip(outputs, draw, strict=True))
        )

    where = [case for case, outputs in enumerate(keras) if any(decided(outputs, draw) for draw in draws[case])]
    if not where:
        return draws
    rng = np.random.default_rng(golden_inputs.SEED)
    subset = [cases[case] for case in where]
    more = _by_case([oracle.noisy_outputs(subset, rng, draw) for draw in range(_MORE_DRAWS)])
    further = dict(zip(where, more, strict=True))
    return [[*each, *further.get(case, ())] for case, each in enumerate(draws)]


def _by_case(draws: Sequence[Results]) -> list[Results]:
    return [list(each) for each in zip(*draws, strict=True)]


def _movements(signature: Signature, keras: Results, draws: Sequence[Results]) -> Array:
    """Of each output: how far any draw of any case is from what the model computes, relative to its scale."""
    numbers = max(map(len, draws), default=0)
    moved = [np.zeros(len(signature.outputs))]
    for number in range(numbers):
        pairs = [(each[number], own) for each, own in zip(draws, keras, strict=True) if number < len(each)]
        moved.append(_noises(signature, [draw for draw, _ in pairs], _widened([own for _, own in pairs])))
    return np.asarray(np.max(moved, axis=0))


def _shapes(results: Results) -> list[tuple[int, ...]]:
    return [value.shape for outputs in results for value in outputs]


def _widened(results: Results) -> Results:
    return [[widened(value) for value in outputs] for outputs in results]


def _noises(signature: Signature, values: Results, truths: Results) -> Array:
    """Of each output: the largest distance over all cases, relative to its scale; infinite when shapes differ."""
    noises = np.zeros(len(signature.outputs))
    for index, spec in enumerate(signature.outputs):
        if spec.is_float:
            pairs = [(value[index], truth[index]) for value, truth in zip(values, truths, strict=True)]
            if any(value.shape != truth.shape for value, truth in pairs):
                noises[index] = np.inf
                continue
            scale = max((scale_of(value, truth) for value, truth in pairs), default=0.0) or 1.0
            noises[index] = max((distance(*pair).max(initial=0.0) for pair in pairs), default=0.0) / scale
    return noises

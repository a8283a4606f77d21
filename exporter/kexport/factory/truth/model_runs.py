"""The results of a model and its float64 twin on the planned cases, and whether both are the same function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kexport.bundle.signature import Array, Signature
from kexport.factory.truth.oracle import Oracle
from kexport.parity import golden_inputs
from kexport.parity.conditioning import distance, widened
from kexport.parity.tolerance import largest

_DRAWS = 2
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
        nudged: what the model computes when inputs, weights and operations move by one unit in the last place; one a
            draw.
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
        draws = _draws(oracle, cases, rng) if thorough else [oracle.noisy_outputs(cases, rng, 0)]
        if truth is not None:
            apart = _noises(signature, keras, truth)
            suspicious = _SUSPICIOUS * oracle.epsilon
            if (apart < suspicious).all():
                return cls(keras, truth, draws, by_twin=True)
            judged = draws if thorough else _draws(oracle, cases, np.random.default_rng(golden_inputs.SEED))
            # Keras' own order of a long sum may be the worst of all: then none of the draws is far from it.
            exact = oracle.exactly_summed_outputs(cases)
            judged = judged if exact is None else [*judged, exact]
            moved = np.max([_noises(signature, draw, _widened(keras)) for draw in judged], axis=0)
            if (apart < suspicious + _ANOTHER_FUNCTION * moved).all():
                return cls(keras, truth, draws, by_twin=True)
            if oracle.without_graph():
                return cls.of(oracle, signature, cases, keras)
            if not thorough:  # the configuration that the twin was made from does not say all of the model
                draws = _draws(oracle, cases, rng)
        return cls(keras, _widened(keras), draws, by_twin=False)

    def followed_by(self, more: ModelRuns) -> ModelRuns | None:
        """These results and those of further cases; None where their truths are not of one kind."""
        if self.by_twin != more.by_twin or len(self.nudged) != len(more.nudged):
            return None
        nudged = [[*draw, *further] for draw, further in zip(self.nudged, more.nudged, strict=True)]
        return ModelRuns([*self.keras, *more.keras], [*self.truth, *more.truth], nudged, self.by_twin)


def scale_of(keras: Array, truth: Array) -> float:
    """The largest magnitude of the truth where the model itself has a finite number."""
    return largest(truth[np.isfinite(keras)] if keras.shape == truth.shape else truth)


def _draws(oracle: Oracle, cases: Results, rng: np.random.Generator) -> list[Results]:
    """What the model computes when inputs and weights, or operations inside, or the order of sums, are not the same."""
    draws: list[Results] = [oracle.nudged_outputs(cases, rng) for _ in range(_DRAWS)]
    draws += [
        oracle.noisy_outputs(cases, rng, draw)
        for draw in range(1 if oracle.can_nudge_inputs and oracle.can_nudge_weights else _DRAWS)
    ]
    reordered = oracle.reordered_outputs(cases)
    return draws if reordered is None else [*draws, reordered]


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

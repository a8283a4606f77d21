"""The goldens of a build: the model's outputs in float64, and how far its own float32 lies from them.

The truth is what Keras on TensorFlow computes eagerly for a twin of the model whose every float policy is float64, with
the same weights; of a layer that computes in float32 whatever its policy is, the traced graph in float64 is the twin.
Where no twin can be built, the model's own result stands for the truth, and the noise is how far one unit in the last
place of inputs, weights and operations moves it. Elements that such a unit moves by more than half of the limit are
stored beside the truth, with how far they move: the model itself is ill-conditioned there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kexport.bundle.composite_inputs import WAY_OUT, composite_parts
from kexport.bundle.domain import Domain, brief
from kexport.bundle.goldens import Golden
from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Array, TensorSpec
from kexport.errors import ModelError, located
from kexport.factory.graph import interpolation
from kexport.factory.trace.program import Program
from kexport.factory.truth.model_runs import ModelRuns, scale_of
from kexport.factory.truth.oracle import Oracle
from kexport.parity import golden_inputs
from kexport.parity.conditioning import distance, movement
from kexport.parity.strictness import Strictness
from kexport.parity.tolerance import EXACT, FLOOR_MULTIPLE, LARGEST_LIMIT, limit_for, robust_floor

TWIN = "float64 twin"
PERTURBATION = "one-ulp perturbation"


@dataclass(frozen=True)
class GoldenSet:
    """The goldens of a bundle, and the limit of each output.

    Attributes:
        goldens: the inputs and the true outputs.
        limits: one per output.
        ulp: one unit in the last place, relative to 1, of the coarsest arithmetic in the model.
        runs: the results that they are made from.
        notes: what a report says of the truth.
    """

    goldens: list[Golden]
    limits: Sequence[OutputLimit]
    ulp: float
    runs: ModelRuns
    notes: Sequence[str] = ()

    def declaring(self, strictness: Strictness) -> GoldenSet:
        """The same goldens, with the declared limits in place of the derived ones.

        Raises:
            UsageError: a limit is declared for something that is no output, or does not fit its dtype.
        """
        return replace(self, limits=strictness.limits(self.limits))


_MANY_ILL = 1 / 16  # of the elements of a sample
_MOST_OF_ILL = 0.9
#: Cases with their labels.
Planned = Sequence[tuple[str, Mapping[str, Array]]]


def establish(program: Program, oracle: Oracle, domains: Mapping[str, Domain]) -> GoldenSet:
    """Run the model and its twin on every planned case; without a twin that can be trusted, perturb the model.

    Args:
        program: the traced model.
        oracle: the model and its twin.
        domains: of the inputs.

    Raises:
        ModelError: the model fails on its own domain.
    """
    planned = list(golden_inputs.plan(program.signature, domains, lambda feeds: _refusal(program, feeds)))
    return _golden_set(program, oracle, planned, _runs(program, oracle, domains, planned))


def extend(
    program: Program, oracle: Oracle, domains: Mapping[str, Domain], golden_set: GoldenSet, more: Planned
) -> GoldenSet:
    """The same goldens, and those of further cases; what was computed is not computed again.

    Raises:
        ModelError: the model fails on a case.
    """
    planned = [*((golden.label, golden.inputs) for golden in golden_set.goldens), *more]
    runs = golden_set.runs.followed_by(_runs(program, oracle, domains, more))
    return _golden_set(program, oracle, planned, runs or _runs(program, oracle, domains, planned))


def _runs(program: Program, oracle: Oracle, domains: Mapping[str, Domain], planned: Planned) -> ModelRuns:
    signature = program.signature
    cases = [[feeds[spec.name] for spec in signature.inputs] for _, feeds in planned]
    try:
        keras = oracle.outputs(cases)
    except Exception as error:  # the model's own code may raise anything
        parts = composite_parts(signature.inputs)
        raise ModelError(
            f"model {program.model.name!r} fails on inputs drawn from their domains",
            got=located(error),
            expected="; ".join(f"{name} in {brief(str(domain))}" for name, domain in domains.items()),
            hint=f"{parts}; {WAY_OUT}" if parts else "declare the domain of each input, or give recorded samples",
        ) from error
    return ModelRuns.of(oracle, signature, cases, keras)


def _golden_set(program: Program, oracle: Oracle, planned: Planned, runs: ModelRuns) -> GoldenSet:
    """The goldens and limits that follow from the results on the planned cases."""
    signature = program.signature
    sizes = [size for _, feeds in planned for array in feeds.values() for size in array.shape]
    least_floor = interpolation.noise(program.core.graph, max(sizes, default=1))
    outputs = [_Output.of(spec, runs, index) for index, spec in enumerate(signature.outputs)]
    limits = [output.limit(oracle.epsilon, least_floor) for output in outputs]
    goldens = [
        Golden(
            label,
            feeds,
            signature.named_outputs(runs.truth[case]),
            {
                output.spec.name: output.keras[case]
                for output, limit in zip(outputs, limits, strict=True)
                if output.answers_differ(case, limit)
            },
            {
                output.spec.name: _pooled(output.moved[case], limit.sensitive)
                for output, limit in zip(outputs, limits, strict=True)
                if (output.moved[case] > limit.sensitive).any()
            },
        )
        for case, (label, feeds) in enumerate(planned)
    ]
    return GoldenSet(goldens, limits, oracle.epsilon, runs, oracle.notes if runs.by_twin else ())


@dataclass(frozen=True)
class _Output:
    """The results of one output, by case.

    Attributes:
        spec: the specification of the output.
        keras: what the model itself computes.
        truth: what is true.
        moved: how far each element moves when inputs and weights move by one unit in the last place.
        by_twin: whether the truth is that of a twin.
    """

    spec: TensorSpec
    keras: Sequence[Array]
    truth: Sequence[Array]
    moved: Sequence[Array]
    by_twin: bool

    @classmethod
    def of(cls, spec: TensorSpec, runs: ModelRuns, index: int) -> _Output:
        """The results of the output of that index."""
        keras = [outputs[index] for outputs in runs.keras]
        truth = [outputs[index] for outputs in runs.truth]
        draws = [[draw[index] for draw in case] for case in runs.nudged]
        moved = [movement(spec, *each) for each in zip(keras, truth, draws, strict=True)]
        return cls(spec, keras, truth, moved, runs.by_twin)

    def limit(self, epsilon: float, least_floor: float) -> OutputLimit:
        """The limit of the output.

        Args:
            epsilon: one unit in the last place, relative to 1, of what the model computes in.
            least_floor: below which no noise floor is taken for real, relative to the scale.
        """
        source = TWIN if self.by_twin else PERTURBATION
        if not self.spec.is_float:
            return limit_for(self.spec, 1.0, 0.0, source)
        scale = max(map(scale_of, self.keras, self.truth), default=0.0) or 1.0
        noise = self._noise(scale)
        limit = limit_for(self.spec, scale, robust_floor(noise, scale, epsilon) * scale, source)
        if limit.source == EXACT:
            return limit
        floor = max(limit.floor, least_floor)
        return replace(limit, floor=floor, limit=max(limit.limit, FLOOR_MULTIPLE * floor))

    def _noise(self, scale: float) -> list[Array]:
        """The noise of each element; 0 where it is not finite, and of the few that are set apart.

        Where rounding decides, as between pi and -pi, the distance is that of two answers: it says nothing of others.
        """
        noise = self.moved
        if self.by_twin:
            noise = [distance(*pair) for pair in zip(self.keras, self.truth, strict=True)]
        counted = [FLOOR_MULTIPLE * each <= LARGEST_LIMIT * scale for each in self.moved]
        if 2 * sum(map(np.count_nonzero, counted)) < sum(each.size for each in counted):
            counted = [np.ones_like(each) for each in counted]
        return [np.where(np.isfinite(one) & these, one, 0.0) for one, these in zip(noise, counted, strict=True)]

    def answers_differ(self, case: int, limit: OutputLimit) -> bool:
        """Whether float arithmetic changes the answer: another value, or NaN or infinity in other places."""
        keras, truth = self.keras[case], self.truth[case]
        if keras.shape != truth.shape:
            return False
        if not self.spec.is_float:
            return not np.array_equal(keras, truth)
        if (distance(keras, truth) > limit.absolute).any():
            return True
        with np.errstate(over="ignore"):
            return not np.array_equal(np.isfinite(keras), np.isfinite(truth.astype(self.spec.numpy_dtype)))


def _pooled(moved: Array, sensitive: float) -> Array:
    """How far elements move; where rounding decides many of a sample, one that stayed by chance moves like the others.

    Args:
        moved: how far each element of each sample moves.
        sensitive: from where on an element counts as moved.
    """
    pooled = moved.copy()
    for row in pooled if pooled.ndim > 1 else ():
        ill = row > sensitive
        if ill.mean() >= _MANY_ILL:
            np.maximum(row, np.quantile(row[ill], _MOST_OF_ILL, method="lower"), out=row)
    return pooled


def _refusal(program: Program, feeds: golden_inputs.Feeds) -> str | None:
    """Why the model does not take these feeds, or gives no numbers for them, as a mean of nothing is none."""
    try:
        outputs = program.interface.run(program.model, list(feeds.values()))
    except Exception as error:  # noqa: BLE001  the model's own code may raise anything
        return located(error)
    if not any(output.size for output in outputs):
        return "outputs without elements"
    nothing = all(output.dtype.kind == "f" and not np.isfinite(output).any() for output in outputs)
    return "outputs without finite numbers" if nothing else None

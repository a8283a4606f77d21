"""The model itself as the reference of a search: the truth on any input, and how well-conditioned it is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from kexport import runtimes
from kexport.bundle.folder import Bundle
from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Array, Signature
from kexport.errors import UncheckedError, located
from kexport.factory.tensorflow_workers import import_tensorflow
from kexport.factory.trace.program import Program, trace
from kexport.factory.truth.goldens import PERTURBATION
from kexport.factory.truth.oracle import Oracle
from kexport.field.search import Conditioning
from kexport.field.trust import NO_TRUST, Trust
from kexport.parity.conditioning import distance, movement, widened

_NUDGES = 12  # with few operations, the noise of a model differs much between draws
_FEW_NUDGES = 4
_DRAWS = 3  # of noise inside


class TwinReference:
    """The float64 twin of a model as the reference of a search (`kexport.field.search.reference.Reference`).

    Args:
        program: the traced model.
        oracle: the model and its twin.
        limits: the limits of the outputs; their source says whether the twin can be trusted.
        signature: the public names of inputs and outputs, in the order of the program.
    """

    name = "truth"
    session = None
    accumulation_factor = 0.0

    def __init__(self, program: Program, oracle: Oracle, limits: Sequence[OutputLimit], signature: Signature) -> None:
        self._program = program
        self._oracle = oracle
        self._signature = signature
        # A declared limit has lost its source, and whole numbers have only one; neither speaks against the twin.
        self._twin = all(limit.source != PERTURBATION for limit in limits)

    def outputs(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """The true outputs, real ones in float64.

        Raises:
            ValueError: the model does not take these inputs.
        """
        (truth,) = self._truth([self._flat(feeds)])
        return self._signature.named_outputs(truth)

    def conditioning(
        self, feeds: Mapping[str, Array], rng: np.random.Generator, candidate: object = None
    ) -> Conditioning:
        """The true outputs, and how far one unit in the last place of inputs, weights and operations moves them.

        Args:
            feeds: inputs of one call.
            rng: draws the nudges.
            candidate: the runtime that is compared; it makes no difference here.

        Raises:
            ValueError: the model does not take these inputs.
        """
        case = self._flat(feeds)
        light = self._oracle.light
        moved = [self._oracle.nudged_inputs(case, rng) for _ in range(_NUDGES if light else _FEW_NUDGES)]
        oracle, draws = self._oracle, range(_DRAWS if light else 1)
        try:
            keras, *others = oracle.outputs([case, *moved])
            inside = [each for draw in draws for each in oracle.noisy_outputs([case], rng, draw)]
            if light and not self._program.served:
                inside += [each for _ in draws for each in oracle.nudged_outputs([case], rng)]
            reordered = oracle.reordered_outputs([case]) or []
        except Exception as error:  # the model's own code may raise anything
            raise ValueError(located(error)) from error
        truth, *truths = self._truth([case, *moved])
        named = self._signature.named_outputs
        sensitivity, noise, other_orders = [], [], []
        for index, spec in enumerate(self._signature.outputs):
            all_others = [each[index] for each in (*others, *inside, *reordered)]
            sensitivity.append(movement(spec, keras[index], truth[index], all_others))
            pairs = zip((keras, *others), (truth, *truths), strict=True)
            noise.append(_noise(spec.is_float, [(value[index], right[index]) for value, right in pairs]))
            other_orders += [_noise(spec.is_float, [(each[index], truth[index])], spread=1.0) for each in reordered]
        return Conditioning(
            named(truth),
            named(sensitivity),
            named(noise if self._twin else sensitivity),
            named(keras),
            named(other_orders) if reordered else {},
        )

    def _flat(self, feeds: Mapping[str, Array]) -> list[Array]:
        return [feeds[spec.name] for spec in self._signature.inputs]

    def _truth(self, cases: list[list[Array]]) -> list[list[Array]]:
        """What the twin computes; where there is none, the model itself."""
        if self._twin:
            truth = self._oracle.truth(cases)
            if truth is not None:
                return truth
        try:
            return [[widened(value) for value in outputs] for outputs in self._oracle.outputs(cases)]
        except Exception as error:  # the model's own code may raise anything
            raise ValueError(located(error)) from error


def of_bundle(bundle: Bundle, trust: Trust = NO_TRUST) -> TwinReference:
    """Load the model in a bundle's `.keras` artifact into this process, as a reference.

    Args:
        bundle: the bundle that holds it.
        trust: the user code that may run while it is loaded.

    Raises:
        UncheckedError: the bundle holds no `.keras` artifact, or TensorFlow is not installed.
        ArtifactError: the artifact is not the one that was built.
    """
    artifacts = bundle.artifacts_of("keras")
    runtime = runtimes.get("keras")
    if not artifacts:
        raise UncheckedError(
            "the bundle does not hold the model itself",
            expected="a .keras artifact",
            hint="build it with --formats keras",
        )
    runtime.require()
    path = bundle.checked_path(artifacts[0])
    import_tensorflow()
    model = trust.expecting(bundle.manifest.code).load_model(path)
    golden = next(bundle.goldens())
    program = trace(model, golden.inputs)
    return TwinReference(program, Oracle(program, bundle.domains()), bundle.manifest.limits, bundle.signature)


def _noise(is_float: bool, pairs: Sequence[tuple[Array, Array]], spread: float = 3.0) -> Array:
    """How far each element of a result lies from the truth, over some draws of rounding errors.

    The largest of a few draws is often far below what a search encounters: three standard deviations, or another
    `spread`, stand for the largest of many.
    """
    shape = pairs[0][1].shape
    if not is_float or any(array.shape != shape for pair in pairs for array in pair):
        return np.zeros(shape)
    apart = np.stack([distance(*pair) for pair in pairs])
    return np.asarray(np.maximum(apart.max(axis=0), spread * np.sqrt((apart**2).mean(axis=0))))

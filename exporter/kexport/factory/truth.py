"""What is true of the model: its outputs in float64, and how far its own float32 lies from them.

Truth is what Keras on TensorFlow computes eagerly for a twin of the model whose every float policy is float64, with
the same weights: made from its configuration, or the model itself changed in place. Where no twin can be built, the
model's own result stands for the truth, and the noise is what one unit in the last place of inputs and weights moves
it by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kexport.bundle.domain import Domain
from kexport.bundle.goldens import Golden
from kexport.bundle.manifest import OutputLimit
from kexport.bundle.signature import Array, TensorSpec
from kexport.errors import ModelError, located
from kexport.factory import double, interpolation
from kexport.factory.trace import Program
from kexport.parity import cases
from kexport.parity.tolerance import EPSILON, EXACT, FLOOR_MULTIPLE, largest, limit_for

TWIN = "float64 twin"
PERTURBATION = "one-ulp perturbation"
_PERTURBATIONS = 4
_SUSPICIOUS = 100.0  # units in the last place of the output's scale; below it a twin is taken at its word
_ANOTHER_FUNCTION = 100.0  # so many times what one ulp does to the model is no rounding any more


@dataclass(frozen=True)
class Truth:
    """Goldens, and the limit of each output."""

    goldens: list[Golden]
    limits: list[OutputLimit]


def establish(program: Program, domains: Mapping[str, Domain]) -> Truth:
    """Run the model and its twin on every planned case; without a twin that can be trusted, perturb the model.

    Raises:
        ModelError: the model fails on its own domain.
    """
    planned = list(cases.plan(program.signature, domains, lambda feeds: _refusal(program, feeds)))
    arrays = [[feeds[spec.name] for spec in program.signature.inputs] for _, feeds in planned]
    try:
        program.reset()
        owns = [program.interface.run(program.model, each) for each in arrays]
    except Exception as error:  # the model's own code may raise anything
        raise ModelError(
            f"model {program.model.name!r} fails on inputs from their domains",
            got=located(error),
            expected="; ".join(f"{name} in {domain}" for name, domain in domains.items()),
            hint="declare the domain of each input, or give recorded samples",
        ) from error
    truth = _sought(program, planned, arrays, owns)
    sizes = [size for each in arrays for array in each for size in array.shape]
    return replace(truth, limits=_widest(truth.limits, interpolation.noise(program.core, max(sizes, default=1))))


def _widest(limits: Sequence[OutputLimit], floor: float) -> list[OutputLimit]:
    """The limits, none of them below what a floor makes."""
    return [
        limit
        if limit.source == EXACT
        else replace(limit, floor=max(limit.floor, floor), limit=max(limit.limit, FLOOR_MULTIPLE * floor))
        for limit in limits
    ]


def _sought(
    program: Program,
    planned: Sequence[tuple[str, cases.Feeds]],
    arrays: Sequence[list[Array]],
    owns: Sequence[list[Array]],
) -> Truth:
    trues = _twin_results(program, arrays)
    if trues is not None and _shapes(trues) != _shapes(owns):
        trues = None  # it depends on the size of a number in memory, for one
    if trues is not None:
        truth = _measure(program, planned, owns, trues, [[own] for own in owns], TWIN)
        suspicious = _SUSPICIOUS * _epsilon(program)
        if all(limit.floor < suspicious for limit in truth.limits):
            return truth
    widened = [[_widened(value) for value in own] for own in owns]
    perturbed = _measure(program, planned, owns, widened, _perturbed(program, arrays), PERTURBATION)
    if trues is not None:
        pairs = zip(truth.limits, perturbed.limits, strict=True)
        if all(one.floor < suspicious + _ANOTHER_FUNCTION * other.floor for one, other in pairs):
            return truth
    return perturbed  # no twin, or it is another function: the configuration does not tell all of the model


def _shapes(results: Sequence[list[Array]]) -> list[tuple[int, ...]]:
    return [value.shape for each in results for value in each]


def _epsilon(program: Program) -> float:
    """The coarsest unit in the last place, relative to 1, of what the model computes in."""
    layers = program.model._flatten_layers()
    dtypes = {spec.dtype for spec in (*program.signature.inputs, *program.signature.outputs)}
    dtypes |= {str(layer.dtype_policy.compute_dtype) for layer in layers}
    return max((EPSILON[dtype] for dtype in dtypes if dtype in EPSILON), default=EPSILON["float32"])


def _measure(
    program: Program,
    planned: Sequence[tuple[str, cases.Feeds]],
    owns: Sequence[list[Array]],
    trues: Sequence[list[Array]],
    others: Sequence[Sequence[list[Array]]],
    source: str,
) -> Truth:
    """Goldens and limits, from the model's own results, the true ones, and others that tell the noise."""
    specs = program.signature.outputs
    scales, noises = np.zeros(len(specs)), np.zeros(len(specs))
    goldens = []
    for (label, feeds), own, true, several in zip(planned, owns, trues, others, strict=True):
        also = {}
        for index, spec in enumerate(specs):
            if spec.is_float:
                scales[index] = max(scales[index], _scale(own[index], true[index]))
                for other in several:
                    noises[index] = max(noises[index], _noise(other[index], true[index]))
            if _another_answer(spec, own[index], true[index]):
                also[spec.name] = own[index]
        goldens.append(Golden(label, feeds, program.signature.named_outputs(true), also))
    limits = [limit_for(spec, scale, noise, source) for spec, scale, noise in zip(specs, scales, noises, strict=True)]
    return Truth(goldens, limits)


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


def _noise(value: Array, truth: Array) -> float:
    """The largest distance where both are finite; a twin of another shape is infinitely far."""
    if value.shape != truth.shape:
        return float("inf")
    with np.errstate(invalid="ignore", over="ignore"):  # infinity minus infinity
        return largest(np.asarray(_widened(value) - truth)[np.isfinite(value)])


def _refusal(program: Program, feeds: cases.Feeds) -> str | None:
    """Why the model does not take these feeds, None when it does."""
    try:
        program.interface.run(program.model, list(feeds.values()))
    except Exception as error:  # noqa: BLE001  the model's own code may raise anything
        return located(error)
    return None


def _twin_results(program: Program, arrays: Sequence[list[Array]]) -> list[list[Array]] | None:
    """What the same model computes in float64, None when it cannot be made again, or run, in float64."""
    if program.served:
        return None
    interface = program.interface.with_dtype(lambda dtype: "float64" if double.is_float(dtype) else dtype)
    specs = program.signature.outputs

    program.reset()

    def results(twin: Any) -> list[list[Array]]:
        found = []
        for each in arrays:
            outputs = interface.run(twin, [_widened(array) for array in each])
            pairs = zip(specs, outputs, strict=True)
            found.append([_widened(v) if s.is_float else v.astype(s.numpy_dtype, copy=False) for s, v in pairs])
        return found

    with double.everywhere():
        try:
            if program.interface.tensors:
                return results(double.twin(program.model))
        except Exception:  # noqa: BLE001  the model's own code may raise anything; it is then changed in place
            pass
        try:
            with double.in_place(program.model) as model:
                return results(model)
        except Exception:  # noqa: BLE001  likewise; the truth is then sought without a twin
            return None


def _widened(array: Array) -> Array:
    """Real numbers as float64, complex ones as complex128; everything else as it is."""
    real = array.dtype.kind == "f" or array.dtype.name == "bfloat16"
    return array.astype(np.float64) if real else array.astype(np.complex128) if array.dtype.kind == "c" else array


def _perturbed(program: Program, arrays: Sequence[list[Array]]) -> list[list[list[Array]]]:
    """Of each case: the model's results with inputs and weights moved by at most one unit in the last place."""
    rng = np.random.default_rng(cases.SEED)
    epsilon = _epsilon(program)
    weights = program.model.get_weights()
    results: list[list[list[Array]]] = [[] for _ in arrays]
    try:
        for _ in range(_PERTURBATIONS):
            program.reset()
            program.model.set_weights([_nudged(weight, rng, epsilon) for weight in weights])
            for index, case in enumerate(arrays):
                nudged = [_nudged(array, rng, epsilon) for array in case]
                results[index].append(program.interface.run(program.model, nudged))
    finally:
        program.model.set_weights(weights)
        program.reset()
    return results


def _nudged(array: Array, rng: np.random.Generator, epsilon: float) -> Array:
    """Every real number moved by one unit in the last place that the model computes with, up, down, or not at all."""
    if array.dtype.kind != "f" and array.dtype.name != "bfloat16":
        return array
    own = array.astype(np.float64)
    # Half of them stay. An ulp lies between half of epsilon and epsilon of a number: here it is the latter.
    signs = rng.choice([-1.0, 0.0, 0.0, 1.0], array.shape)
    with np.errstate(invalid="ignore"):  # infinity by 0
        moved = np.where(np.isfinite(own), own + signs * epsilon * np.abs(own), own)
        return np.asarray(moved.astype(array.dtype))

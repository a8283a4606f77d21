"""What is true of the model: its outputs in float64, and how far its own float32 lies from them.

Truth is what Keras on TensorFlow computes eagerly for a twin of the model whose every float policy is float64, with
the same weights. Where no twin can be built, the model's own result stands for the truth, and the noise is what one
unit in the last place of inputs and weights moves it by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kexport.bundle.domain import Domain
from kexport.bundle.goldens import Golden
from kexport.bundle.manifest import OutputLimit
from kexport.bundle.signature import Array
from kexport.errors import reason
from kexport.factory.trace import Program
from kexport.parity import cases
from kexport.parity.tolerance import largest, limit_for
from kexport.runtimes._keras_model import Interface

TWIN = "float64 twin"
PERTURBATION = "one-ulp perturbation"
_PERTURBATIONS = 4
_SUSPICIOUS = 1e-5  # of the output's scale; below it a twin is taken at its word
_ANOTHER_FUNCTION = 100.0  # so many times what one ulp does to the model is no rounding any more


@dataclass(frozen=True)
class Truth:
    """Goldens, and the limit of each output."""

    goldens: list[Golden]
    limits: list[OutputLimit]


def establish(program: Program, domains: Mapping[str, Domain]) -> Truth:
    """Run the model and its twin on every planned case; without a twin that can be trusted, perturb the model."""
    planned = list(cases.plan(program.signature, domains, lambda feeds: _refusal(program, feeds)))
    twin = _Twin.of(program)
    if twin is not None:
        truth = _measure(program, planned, twin)
        if all(limit.floor < _SUSPICIOUS for limit in truth.limits):
            return truth
        perturbed = _measure(program, planned, None)
        pairs = zip(truth.limits, perturbed.limits, strict=True)
        if all(one.floor < _SUSPICIOUS + _ANOTHER_FUNCTION * other.floor for one, other in pairs):
            return truth
        return perturbed  # the twin is another function: the configuration does not tell all of the model
    return _measure(program, planned, None)


def _measure(program: Program, planned: Sequence[tuple[str, cases.Feeds]], twin: _Twin | None) -> Truth:
    specs = program.signature.outputs
    scales, noises = np.zeros(len(specs)), np.zeros(len(specs))
    goldens = []
    for label, feeds in planned:
        arrays = [feeds[spec.name] for spec in program.signature.inputs]
        own = program.interface.run(program.model, arrays)
        true = twin.run(arrays) if twin else [_widened(value) for value in own]
        others = [own] if twin else _perturbed(program, arrays)
        for index, spec in enumerate(specs):
            if spec.is_float:
                scales[index] = max(scales[index], largest(true[index]))
                for other in others:
                    noises[index] = max(noises[index], _noise(other[index], true[index]))
        goldens.append(Golden(label, feeds, program.signature.named_outputs(true)))
    source = TWIN if twin else PERTURBATION
    limits = [limit_for(spec, scale, noise, source) for spec, scale, noise in zip(specs, scales, noises, strict=True)]
    return Truth(goldens, limits)


def _noise(value: Array, truth: Array) -> float:
    """The largest distance where both are finite; a twin of another shape is infinitely far."""
    if value.shape != truth.shape:
        return float("inf")
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        return largest(_widened(value) - truth)


def _refusal(program: Program, feeds: cases.Feeds) -> str | None:
    """Why the model does not take these feeds, None when it does."""
    import tensorflow as tf

    try:
        program.interface.run(program.model, list(feeds.values()))
    except (ValueError, TypeError, tf.errors.OpError) as error:
        return reason(error)
    return None


@dataclass(frozen=True)
class _Twin:
    """The same model in float64."""

    model: Any
    interface: Interface
    program: Program

    @classmethod
    def of(cls, program: Program) -> _Twin | None:
        """The twin, or None when the model cannot be made again from its configuration."""
        import keras

        model = program.model
        classes = {type(layer).__name__: type(layer) for layer in model._flatten_layers()}
        try:
            config = _in_double(keras.saving.serialize_keras_object(model))
            # The classes and any Lambda are already running in this process: nothing new is trusted.
            with keras.saving.custom_object_scope(
                {name: kind for name, kind in classes.items() if not kind.__module__.startswith("keras.")}
            ):
                twin = keras.saving.deserialize_keras_object(config, safe_mode=False)
            twin.set_weights(model.get_weights())
            interface = Interface.of(twin)
        except (ValueError, TypeError, KeyError, AttributeError, NotImplementedError):
            return None
        return cls(twin, interface, program)

    def run(self, arrays: list[Array]) -> list[Array]:
        """The truth: float64 where the output is real, else the output's own dtype."""
        wide = [_widened(array) for array in arrays]
        outputs = self.interface.run(self.model, wide)
        specs = self.program.signature.outputs
        return [
            _widened(value) if spec.is_float else value.astype(spec.numpy_dtype, copy=False)
            for spec, value in zip(specs, outputs, strict=True)
        ]


def _widened(array: Array) -> Array:
    """Real numbers as float64; everything else as it is."""
    real = array.dtype.kind == "f" or array.dtype.name == "bfloat16"
    return array.astype(np.float64) if real else array


def _in_double(config: Any) -> Any:
    """A Keras configuration with every float dtype and policy in it replaced by float64."""
    if isinstance(config, list):
        return [_in_double(item) for item in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy" and _is_float(config["config"]["name"]):
        return {**config, "config": {**config["config"], "name": "float64"}}
    return {
        key: "float64" if key == "dtype" and _is_float(value) else _in_double(value) for key, value in config.items()
    }


def _is_float(name: Any) -> bool:
    return isinstance(name, str) and name.startswith(("float", "bfloat", "mixed_"))


def _perturbed(program: Program, arrays: list[Array]) -> list[list[Array]]:
    """The model's results with inputs and weights moved by at most one unit in the last place."""
    rng = np.random.default_rng(cases.SEED)
    weights = program.model.get_weights()
    results = []
    try:
        for _ in range(_PERTURBATIONS):
            program.model.set_weights([_nudged(weight, rng) for weight in weights])
            results.append(program.interface.run(program.model, [_nudged(array, rng) for array in arrays]))
    finally:
        program.model.set_weights(weights)
    return results


def _nudged(array: Array, rng: np.random.Generator) -> Array:
    if array.dtype.kind != "f":
        return array
    direction = rng.choice(np.array([-np.inf, np.inf], dtype=array.dtype), array.shape)
    return np.nextafter(array, np.where(rng.random(array.shape) < 0.5, array, direction))

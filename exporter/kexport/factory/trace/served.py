"""A function that TensorFlow loaded from a SavedModel, as the build takes a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kexport.bundle.naming import unique
from kexport.bundle.signature import Array, TensorSpec
from kexport.errors import ModelError, nearest, reason
from kexport.runtimes.keras_model import Interface

KEY = "serving_default"


class Served:
    """The serving signature of a SavedModel, called as a Keras model is.

    Args:
        name: of the model.
        loaded: what TensorFlow loaded; it owns the variables.
        function: the serving signature.
    """

    def __init__(self, name: str, loaded: Any, function: Any) -> None:
        self.name = name
        self.loaded = loaded
        self._function = function
        self._layers: tuple[Any, ...] = ()
        declared = function.structured_input_signature[1]
        self._inputs = _ordered(loaded, declared)
        self._outputs = sorted(function.structured_outputs, key=_natural)
        names = unique(self._inputs)
        specs = tuple(_spec(name, declared[raw]) for name, raw in zip(names, self._inputs, strict=True))
        self.interface = Interface(
            specs,
            tuple((name, index) for index, name in enumerate(names)),
            len(names),
            output_names=tuple(unique(self._outputs, taken=names)),
            output_structure=dict.fromkeys(self._outputs, 0) if _sorted(self._outputs) else [0] * len(self._outputs),
        )

    def __call__(self, *arguments: Any, training: bool = False) -> list[Any]:
        """The outputs, in order."""
        outputs = self._function(**dict(zip(self._inputs, arguments, strict=True)))
        return [outputs[name] for name in self._outputs]

    def _flatten_layers(self) -> list[Any]:
        return []

    @property
    def variables(self) -> list[Any]:
        """The variables that the function reads."""
        return list(self._function.variables)

    def get_weights(self) -> list[Array]:
        """The values of the variables."""
        return [variable.numpy() for variable in self.variables]

    def set_weights(self, values: Sequence[Array]) -> None:
        """Give the variables other values."""
        for variable, value in zip(self.variables, values, strict=True):
            variable.assign(value)


def load(path: Path, name: str) -> Served:
    """Load a SavedModel.

    Raises:
        ModelError: TensorFlow cannot load it, or it has no serving signature.
    """
    import tensorflow as tf

    try:
        loaded = tf.saved_model.load(str(path))
    except Exception as error:  # TensorFlow raises what its readers raise
        raise ModelError(f"{path} cannot be loaded as a SavedModel", got=reason(error)) from error
    if KEY not in loaded.signatures:
        raise ModelError(
            f"{path} has no serving signature {KEY!r}",
            got=", ".join(loaded.signatures) or "no signatures",
            expected="tf.saved_model.save(..., signatures={'serving_default': function}), or model.export(path)",
            hint=nearest(KEY, loaded.signatures) if len(loaded.signatures) else None,
        )
    return Served(name, loaded, loaded.signatures[KEY])


def _ordered(loaded: Any, declared: Any) -> list[str]:
    """The names of the inputs in the order in which `serve` takes them, where it tells, else that of their numbers."""
    import tensorflow as tf

    for function in getattr(getattr(loaded, "serve", None), "concrete_functions", ()):
        found = [spec.name for spec in tf.nest.flatten(function.structured_input_signature)]
        if sorted(map(str, found)) == sorted(declared):
            return found
    return sorted(declared, key=_natural)


def _natural(name: str) -> list[tuple[int, int | str]]:
    """A key by which `output_10` comes after `output_9`."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", name) if part]


def _sorted(names: Sequence[str]) -> bool:
    return list(names) == sorted(names)


def _spec(name: str, spec: Any) -> TensorSpec:
    if spec.shape.rank is None:
        raise ModelError(f"input {name!r} has no fixed number of axes", expected="a signature of tensors of known rank")
    return TensorSpec(name, spec.dtype.name, tuple(spec.shape.as_list()))

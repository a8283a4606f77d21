"""The serving signature of a SavedModel, with the methods of a Keras model that a build uses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from kexport.bundle.naming import unique
from kexport.bundle.signature import Array, TensorSpec
from kexport.errors import ModelError, nearest, reason
from kexport.factory.graph.protocols import Tensor
from kexport.factory.trace.protocols import BuiltLayer, GraphVariable, InputSpec, ServingFunction
from kexport.runtimes.keras_model import Interface, granted
from kexport.runtimes.saved_model_graph import require_allowed

KEY = "serving_default"


class Served:
    """The serving signature of a SavedModel, called like a Keras model.

    Args:
        name: the name of the model.
        loaded: the object that TensorFlow loaded; it owns the variables.
        function: the serving signature.
    """

    def __init__(self, name: str, loaded: object, function: ServingFunction) -> None:
        self.name = name
        self.loaded = loaded
        self._function = function
        self._layers: tuple[BuiltLayer, ...] = ()
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

    def __call__(self, *arguments: object, training: bool = False) -> list[Tensor]:
        """The outputs, in order."""
        outputs = self._function(**dict(zip(self._inputs, arguments, strict=True)))
        return [outputs[name] for name in self._outputs]

    def _flatten_layers(self, include_self: bool = True) -> list[BuiltLayer]:
        return []

    @property
    def variables(self) -> list[GraphVariable]:
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
        MissingCodeError: it would do more than compute, and is not trusted.
        BundleError: it cannot be read.
    """
    import tensorflow as tf

    if not granted().unrestricted:
        require_allowed(path)

    try:
        loaded = tf.saved_model.load(str(path))
    except Exception as error:  # TensorFlow passes on what its readers raise
        raise ModelError(f"{path} cannot be loaded as a SavedModel", got=reason(error)) from error
    if KEY not in loaded.signatures:
        raise ModelError(
            f"{path} has no serving signature {KEY!r}",
            got=", ".join(loaded.signatures) or "no signatures",
            expected="tf.saved_model.save(..., signatures={'serving_default': function}), or model.export(path)",
            hint=nearest(KEY, loaded.signatures) if len(loaded.signatures) else None,
        )
    return Served(name, loaded, loaded.signatures[KEY])


def _ordered(loaded: object, declared: Mapping[str, InputSpec]) -> list[str]:
    """The names of the inputs in the order in which `serve` takes them; without one, in the order of their numbers."""
    import tensorflow as tf

    for function in getattr(getattr(loaded, "serve", None), "concrete_functions", ()):
        names: list[str] = [spec.name for spec in tf.nest.flatten(function.structured_input_signature)]
        if sorted(map(str, names)) == sorted(declared):
            return names
    return sorted(declared, key=_natural)


def _natural(name: str) -> list[tuple[int, int | str]]:
    """A key by which `output_10` comes after `output_9`."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", name) if part]


def _sorted(names: Sequence[str]) -> bool:
    return list(names) == sorted(names)


def _spec(name: str, spec: InputSpec) -> TensorSpec:
    if spec.shape.rank is None:
        raise ModelError(
            f"input {name!r} has an unknown number of axes", expected="a signature of tensors of known rank"
        )
    return TensorSpec(name, spec.dtype.name, tuple(spec.shape.as_list()))

"""A signature of a SavedModel, with the methods of a Keras model that a build uses."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kexport.bundle.naming import unique
from kexport.bundle.signature import Array, TensorSpec, held
from kexport.errors import KexportError, ModelError, nearest, reason
from kexport.factory.graph.protocols import DType, Tensor
from kexport.factory.trace.own_tables import given_tables
from kexport.factory.trace.own_variables import captured_variables
from kexport.factory.trace.protocols import BuiltLayer, GraphVariable, InputSpec, LookupTable, ServingFunction
from kexport.runtimes.keras_model import Interface, granted
from kexport.runtimes.saved_model_graph import load_folder, require_allowed

_DEFAULT = "serving_default"


@dataclass(frozen=True)
class RestoredTable:
    """A lookup table that TensorFlow loaded (`kexport.factory.trace.protocols.LookupTable`).

    Attributes:
        resource: the object that owns it.
        resource_handle: what functions capture of it.
        key_dtype: the dtype of its keys.
        value_dtype: that of its values.
    """

    resource: object
    resource_handle: Tensor
    key_dtype: DType
    value_dtype: DType


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
            tuple((name, index) for index, name in enumerate(self._inputs)),
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
    def tables(self) -> list[LookupTable]:
        """The lookup tables of the loaded object, and those that the function is given."""
        return [*_tables(self.loaded), *getattr(self._function, "tables", ())]

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


def load(path: Path, name: str, signature: str | None = None) -> Served:
    """Load a SavedModel.

    Args:
        path: the folder.
        name: the name of the model.
        signature: the function to serve; by default the only one, or `serving_default`.

    Raises:
        ModelError: TensorFlow cannot load it, or it has no such signature.
        MissingCodeError: it would do more than compute, and is not trusted.
        BundleError: it cannot be read.
    """
    if not granted().unrestricted:
        require_allowed(path)

    with _loading(path):
        loaded = load_folder(path)
        names = list(loaded.signatures)
    chosen = signature or (names[0] if len(names) == 1 else _DEFAULT)
    if chosen not in names:
        raise ModelError(
            f"{path} has no signature {chosen!r}",
            got=", ".join(names) or "no signatures",
            expected="one of them: --signature NAME" if names else "tf.saved_model.save(..., signatures=function)",
            hint=nearest(chosen, names) if signature and names else None,
        )
    with _loading(path):
        return Served(name, loaded, given_tables(captured_variables(loaded.signatures[chosen])))


@contextlib.contextmanager
def _loading(path: Path) -> Iterator[None]:
    """Within the block, what TensorFlow or its objects raise says that the SavedModel cannot be loaded.

    TensorFlow passes on what its readers raise, and makes what the file describes: a signature may be anything.
    """
    try:
        yield
    except KexportError:
        raise
    except Exception as error:
        raise ModelError(f"{path} cannot be loaded as a SavedModel", got=reason(error)) from error


def _tables(loaded: Any) -> Iterator[RestoredTable]:
    """Every lookup table in an object and what it tracks, once."""
    import tensorflow as tf

    pending, seen = [loaded], {id(loaded)}
    while pending:
        owner = pending.pop()
        handle = getattr(owner, "resource_handle", None)
        for function in getattr(getattr(owner, "_create_resource", None), "concrete_functions", ()):
            for op in function.graph.get_operations():
                if handle is not None and "HashTable" in op.type:
                    dtypes = (tf.as_dtype(op.get_attr(name)) for name in ("key_dtype", "value_dtype"))
                    yield RestoredTable(owner, handle, *dtypes)
        children = [each for each in owner._trackable_children().values() if id(each) not in seen]
        seen |= {id(each) for each in children}
        pending += children


def _ordered(loaded: object, declared: Mapping[str, InputSpec]) -> list[str]:
    """The names of the inputs in the order in which `serve` takes them; without one, in the order of their numbers."""
    import tensorflow as tf

    for function in getattr(getattr(loaded, "serve", None), "concrete_functions", ()):
        # A ragged or sparse tensor has no name: its parts are the inputs.
        names: list[str] = [getattr(spec, "name", "") for spec in tf.nest.flatten(function.structured_input_signature)]
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
    return TensorSpec(name, held(name, spec.dtype.name), tuple(spec.shape.as_list()))

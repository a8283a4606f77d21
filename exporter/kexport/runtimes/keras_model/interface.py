"""How a Keras model is called: its arguments and outputs as structures, as flat sequences, and by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kexport.bundle.naming import unique
from kexport.bundle.signature import Array, TensorSpec
from kexport.errors import ModelError
from kexport.runtimes.keras_model import scopes
from kexport.runtimes.keras_model.protocols import CallableModel, KerasTensor
from kexport.runtimes.keras_model.tensors import to_array, to_dense, to_tensor


@dataclass(frozen=True)
class Interface:
    """The inputs and outputs of a Keras model.

    A structure is a tensor, or a list, tuple or dict of structures.

    Attributes:
        inputs: flat, in the model's own order.
        arguments: name and structure of each argument of the call; each leaf is the index of an input.
        positional: how many of the arguments are passed by position; the others are passed by name.
        tensors: the KerasTensor of each input, where the model is a graph of them.
        output_names: flat, in the model's own order; empty until they are known.
        output_structure: the structure of the outputs; its leaves carry no meaning.
        notes: the guesses that were made, in words.
    """

    inputs: tuple[TensorSpec, ...]
    arguments: tuple[tuple[str, object], ...]
    positional: int
    tensors: tuple[KerasTensor, ...] = ()
    output_names: tuple[str, ...] = ()
    output_structure: object = None
    notes: tuple[str, ...] = ()

    def own_names(self) -> dict[str, str]:
        """The names of the inputs by the model's own names for them: keys of its dicts, its arguments, its tensors.

        A name of its own that two inputs share is left out.
        """
        calls = [(structure, name) for name, structure in self.arguments]
        keys = {index: key for structure, name in calls for index, key in _keys(structure, name)}
        pairs = [(keys[index], spec.name) for index, spec in enumerate(self.inputs) if index in keys]
        pairs += [(tensor.name, spec.name) for tensor, spec in zip(self.tensors, self.inputs, strict=False)]
        names: dict[str, set[str]] = {}
        for own, name in pairs:
            names.setdefault(own, set()).add(name)
        called = {own: next(iter(each)) for own, each in names.items() if len(each) == 1}
        return {**called, **{spec.name: spec.name for spec in self.inputs}}

    def with_outputs(self, structure: object) -> Interface:
        """The same with outputs of this structure, which tracing gave, unless the outputs are known."""
        if self.output_names:
            return self
        names = unique(leaf_names(structure), taken=[spec.name for spec in self.inputs])
        return dataclasses.replace(self, output_names=tuple(names), output_structure=structure)

    def with_dtype(self, replace: Callable[[str], str]) -> Interface:
        """The same with the dtype of each input replaced by what the function returns for it."""
        inputs = tuple(dataclasses.replace(spec, dtype=replace(spec.dtype)) for spec in self.inputs)
        return dataclasses.replace(self, inputs=inputs)

    def with_dtypes(self, dtypes: Mapping[str, str]) -> Interface:
        """The same with the dtypes of some inputs replaced, by name."""
        inputs = tuple(dataclasses.replace(spec, dtype=dtypes.get(spec.name, spec.dtype)) for spec in self.inputs)
        return dataclasses.replace(self, inputs=inputs)

    def pack(self, flat: Sequence[object]) -> tuple[list[object], dict[str, object]]:
        """The flat inputs as the arguments of a call: those passed by position, and those passed by name."""
        import keras

        values = [(name, keras.tree.map_structure(lambda i: flat[i], each)) for name, each in self.arguments]
        return [value for _, value in values[: self.positional]], dict(values[self.positional :])

    def call(self, model: CallableModel, flat: Sequence[object]) -> object:
        """Call the model for inference; returns the structure of its outputs, sparse and ragged ones made dense."""
        import keras

        arguments, named = self.pack(flat)
        return keras.tree.map_structure(to_dense, model(*arguments, **named, training=False))

    def run(self, model: CallableModel, arrays: Sequence[Array]) -> list[Array]:
        """Call the model eagerly with flat arrays; returns flat arrays."""
        import keras

        tensors = [to_tensor(spec.dtype, array) for spec, array in zip(self.inputs, arrays, strict=True)]
        return [to_array(value) for value in keras.tree.flatten(self.call(model, tensors))]

    def specs(self) -> list[Any]:
        """The inputs as `tf.TensorSpec`s."""
        import tensorflow as tf

        return [tf.TensorSpec(spec.shape, spec.dtype, spec.name) for spec in self.inputs]

    def concrete(self, model: CallableModel) -> tuple[Any, object]:
        """Trace the model.

        Returns:
            A TensorFlow concrete function from flat tensors to flat tensors, and the structure of the outputs.

        Raises:
            ModelError: an output is None.
        """
        import keras
        import tensorflow as tf

        structures: list[object] = []

        @tf.function(input_signature=self.specs(), autograph=False)
        def core(*flat: object) -> list[object]:
            outputs = self.call(model, flat)
            _refuse_none(model, outputs)
            tensors = [tf.convert_to_tensor(value) for value in keras.tree.flatten(outputs)]
            structures[:] = [keras.tree.map_structure(lambda _: 0, outputs)]
            return tensors

        with scopes.any_layer_name():
            return core.get_concrete_function(), structures[0]


def _keys(structure: object, otherwise: str) -> list[tuple[int, str]]:
    """The index at each leaf of an argument, with its innermost dict key, or else the name of the argument."""
    import keras

    indices: list[int] = keras.tree.flatten(structure)
    return list(zip(indices, leaf_names(structure, lambda _: otherwise), strict=True))


def leaf_names(structure: object, otherwise: Callable[[Any], str] = lambda leaf: "output") -> list[str]:
    """The name of each leaf of a structure: its innermost dict key, or else what the function returns for the leaf."""
    import keras

    names = []
    for path, leaf in keras.tree.flatten_with_path(structure):
        keys = [key for key in path if isinstance(key, str)]
        names.append(keys[-1] if keys else otherwise(leaf))
    return names


def _refuse_none(model: CallableModel, outputs: object) -> None:
    import keras

    for path, value in keras.tree.flatten_with_path(outputs):
        if value is None:
            where = "".join(f"[{key!r}]" for key in path)
            raise ModelError(
                f"an output of model {model.name!r} is None",
                got=f"outputs{where}",
                hint="leave it out when training=False",
            )

"""How a Keras model is called: its arguments and outputs in their structures, flat, and by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kexport.bundle.naming import unique
from kexport.bundle.signature import Array, TensorSpec
from kexport.errors import ModelError
from kexport.runtimes.keras_model import scopes


@dataclass(frozen=True)
class Interface:
    """The inputs and outputs of a Keras model.

    Attributes:
        inputs: flat, in the model's own order.
        arguments: name and structure of each argument of the call; each leaf is the index of an input.
        positional: how many of the arguments are passed by position; the others are passed by name.
        tensors: the KerasTensor of each input, where the model is a graph of them.
        output_names: flat, in the model's own order.
        output_structure: the outputs as the model gives them; the leaves mean nothing.
        notes: what had to be guessed, in words.
    """

    inputs: tuple[TensorSpec, ...]
    arguments: tuple[tuple[str, Any], ...]
    positional: int
    tensors: tuple[Any, ...] = ()
    output_names: tuple[str, ...] = ()
    output_structure: Any = None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, model: Any, samples: Mapping[str, Any] | None = None) -> Interface:
        """The interface of a model; the outputs of one that is no graph of layers are unknown until it is traced.

        Args:
            model: functional, sequential or subclassed.
            samples: recorded inputs by name, for a model that was never called.

        Raises:
            ModelError: nothing tells what the model's inputs are.
        """
        from kexport.runtimes.keras_model import recovery

        functional = getattr(model, "_functional", None) or model
        if getattr(functional, "_inputs_struct", None) is None:
            return recovery.recovered(model, samples or {})
        found = _of_functional(functional, _any_batch(model))
        return _with_whole_samples(found, samples or {}) if _guessed(model) else found

    def with_outputs(self, structure: Any) -> Interface:
        """The same, with the outputs that a trace gave."""
        if self.output_names:
            return self
        names = unique(_keys(structure), taken=[spec.name for spec in self.inputs])
        return dataclasses.replace(self, output_names=tuple(names), output_structure=structure)

    def with_dtype(self, replace: Any) -> Interface:
        """The same, with the dtype of each input replaced by what the function gives for it."""
        inputs = tuple(dataclasses.replace(spec, dtype=replace(spec.dtype)) for spec in self.inputs)
        return dataclasses.replace(self, inputs=inputs)

    def pack(self, flat: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
        """The flat inputs as the arguments of a call, by position and by name."""
        import keras

        values = [(name, keras.tree.map_structure(lambda i: flat[i], each)) for name, each in self.arguments]
        return [value for _, value in values[: self.positional]], dict(values[self.positional :])

    def call(self, model: Any, flat: Sequence[Any]) -> Any:
        """Call the model as at inference; gives its outputs in their structure, sparse and ragged ones made dense."""
        import keras

        arguments, named = self.pack(flat)
        return keras.tree.map_structure(_dense, model(*arguments, **named, training=False))

    def run(self, model: Any, arrays: Sequence[Array]) -> list[Array]:
        """Call the model eagerly; flat arrays in, flat arrays out."""
        import keras

        tensors = [to_tensor(spec.dtype, array) for spec, array in zip(self.inputs, arrays, strict=True)]
        return [to_array(value) for value in keras.tree.flatten(self.call(model, tensors))]

    def specs(self) -> list[Any]:
        """The inputs as TensorFlow's own specs."""
        import tensorflow as tf

        return [tf.TensorSpec(spec.shape, spec.dtype, spec.name) for spec in self.inputs]

    def concrete(self, model: Any) -> tuple[Any, Any]:
        """Trace the model into a concrete function of flat tensors; gives it and the structure of the outputs."""
        import keras
        import tensorflow as tf

        found: list[Any] = []

        @tf.function(input_signature=self.specs(), autograph=False)
        def core(*flat: Any) -> list[Any]:
            outputs = self.call(model, flat)
            _refuse_none(model, outputs)
            tensors = [tf.convert_to_tensor(value) for value in keras.tree.flatten(outputs)]
            found[:] = [keras.tree.map_structure(lambda _: 0, outputs)]
            return tensors

        with scopes.cleaned():
            return core.get_concrete_function(), found[0]


def _any_batch(model: Any) -> bool:
    """Whether the batch is dynamic though it is recorded: a sequential model records that of its first call."""
    stateful = any(getattr(layer, "stateful", False) for layer in model._flatten_layers())
    return _guessed(model) and not stateful


def _guessed(model: Any) -> bool:
    """Whether Keras itself may have made the model's input, from the first call, as real numbers whatever it was."""
    import keras

    return isinstance(model, keras.Sequential)


def _with_whole_samples(interface: Interface, samples: Mapping[str, Array]) -> Interface:
    whole = {name: array.dtype.name for name, array in samples.items() if array.dtype.kind in "iu"}
    specs = [
        dataclasses.replace(spec, dtype=whole[spec.name]) if spec.name in whole and spec.is_float else spec
        for spec in interface.inputs
    ]
    return dataclasses.replace(interface, inputs=tuple(specs))


def _of_functional(functional: Any, any_batch: bool) -> Interface:
    import keras

    structure = functional._inputs_struct
    tensors = keras.tree.flatten(structure)
    names = unique([tensor.name for tensor in tensors])
    for name, tensor in zip(names, tensors, strict=True):
        if getattr(tensor, "sparse", False) or getattr(tensor, "ragged", False):
            raise ModelError(f"input {name!r} is a sparse or ragged tensor", expected="dense inputs")
    specs = tuple(
        TensorSpec(
            name,
            keras.backend.standardize_dtype(tensor.dtype),
            (None, *tensor.shape[1:]) if any_batch and len(tensor.shape) else tuple(tensor.shape),
        )
        for name, tensor in zip(names, tensors, strict=True)
    )
    optional = [
        name for name, tensor in zip(names, tensors, strict=True) if getattr(_origin(tensor), "optional", False)
    ]
    outputs = functional._outputs_struct
    return Interface(
        specs,
        (("inputs", keras.tree.pack_sequence_as(structure, range(len(tensors)))),),
        1,
        tuple(tensors),
        tuple(unique(_keys(outputs, _layer_name), taken=names)),
        outputs,
        tuple(f"input {name} is optional in Keras: the artifacts always want it" for name in optional),
    )


def _refuse_none(model: Any, outputs: Any) -> None:
    import keras

    for path, value in keras.tree.flatten_with_path(outputs):
        if value is None:
            where = "".join(f"[{key!r}]" for key in path)
            raise ModelError(
                f"an output of model {model.name!r} is None", got=f"outputs{where}", hint="leave it out at inference"
            )


def _origin(tensor: Any) -> Any:
    history = getattr(tensor, "_keras_history", None)
    return history.operation if history is not None else None


def _layer_name(tensor: Any) -> str:
    return str(_origin(tensor).name)


def _keys(structure: Any, otherwise: Any = lambda leaf: "output") -> list[str]:
    """Of each output: its dict key, else what is said of the leaf."""
    import keras

    names = []
    for path, leaf in keras.tree.flatten_with_path(structure):
        keys = [key for key in path if isinstance(key, str)]
        names.append(keys[-1] if keys else otherwise(leaf))
    return names


def _dense(value: Any) -> Any:
    import tensorflow as tf

    if isinstance(value, tf.SparseTensor):
        return tf.sparse.to_dense(value)
    return value.to_tensor() if isinstance(value, tf.RaggedTensor) else value


def to_tensor(dtype: str, array: Array) -> Any:
    """The TensorFlow tensor of that dtype which an array of ours holds."""
    import tensorflow as tf

    if dtype == "string":
        flat = [text.encode(errors="surrogateescape") for text in array.ravel().tolist()]
        return tf.constant(flat, tf.string, shape=array.shape)
    if dtype == "bfloat16":
        return tf.cast(tf.constant(array), tf.bfloat16)
    return tf.constant(array)


def to_array(tensor: Any) -> Array:
    """The array of ours that holds a TensorFlow tensor: text as `str`, bfloat16 as float32."""
    import tensorflow as tf

    array = np.asarray(tf.convert_to_tensor(tensor).numpy())
    if array.dtype.name == "bfloat16":
        return array.astype(np.float32)
    if array.dtype == object:
        texts = [item.decode(errors="surrogateescape") for item in array.ravel().tolist()]
        return np.array(texts, dtype=str).reshape(array.shape)
    return array

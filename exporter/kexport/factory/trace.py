"""The one traced function that every format is made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kexport.bundle.signature import Signature, TensorSpec
from kexport.errors import ExportError, ModelError, reason
from kexport.factory.corrections._correction import all_active
from kexport.runtimes._keras_model import Interface


@dataclass(frozen=True)
class Program:
    """A Keras model, traced once for inference.

    Attributes:
        model: the Keras model.
        interface: how it is called.
        signature: of every artifact made from it.
        core: a TensorFlow concrete function from flat inputs to flat outputs.
        scopes: of each name that a layer opens in the graph, the layer's path in the model and its class.
        recurrent: of each function in the graph that computes a recurrent layer, the layer's settings.
        tables: of each lookup table that the function captures, by id of its handle: dtypes of keys and values.
    """

    model: Any
    interface: Interface
    signature: Signature
    core: Any
    scopes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    recurrent: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tables: Mapping[int, tuple[Any, Any]] = field(default_factory=dict)


def trace(model: Any) -> Program:
    """Trace the model with `training=False` and its axes as dynamic as it declares them.

    Raises:
        ModelError: the model has no fixed inputs, or fails when it is traced.
    """
    import keras
    import tensorflow as tf

    if keras.backend.backend() != "tensorflow":
        raise ModelError(
            "Keras does not run on TensorFlow here",
            got=keras.backend.backend(),
            expected="tensorflow",
            hint="set KERAS_BACKEND=tensorflow before Keras is imported",
        )
    interface = Interface.of(model)

    @tf.function(input_signature=tensor_specs(interface.inputs), autograph=False)
    def core(*flat: Any) -> list[Any]:
        outputs = model(interface.pack(flat), training=False)
        return [tf.convert_to_tensor(value) for value in keras.tree.flatten(outputs)]

    try:
        with all_active() as record:
            concrete = core.get_concrete_function()
    except (ValueError, TypeError, NotImplementedError, tf.errors.OpError) as error:
        raise ExportError(
            f"model {model.name!r} cannot be traced for inference",
            got=reason(error),
            hint="a layer that needs Python values, or fixed sizes, cannot become a graph",
        ) from error
    outputs = tuple(
        TensorSpec(name, tensor.dtype.name, _shape(tensor))
        for name, tensor in zip(interface.output_names, concrete.structured_outputs, strict=True)
    )
    return Program(
        model,
        interface,
        Signature(interface.inputs, outputs),
        concrete,
        dict(_scopes(model)),
        record.recurrent,
        _tables(model),
    )


def _scopes(model: Any, path: str = "") -> Iterator[tuple[str, tuple[str, str]]]:
    """Of every layer: its name, its path in the model and its class; inner models first name, then what is in them."""
    for layer in model._layers:
        own = f"{path}{layer.name}"
        yield layer.name, (own, type(layer).__name__)
        yield from _scopes(layer, f"{own}/")


def _tables(model: Any) -> dict[int, tuple[Any, Any]]:
    """Key and value dtypes of the lookup tables of the model's layers, by id of the handle."""
    import tensorflow as tf

    return {
        id(value.resource_handle): (value.key_dtype, value.value_dtype)
        for layer in model._flatten_layers()
        for value in vars(layer).values()
        if isinstance(value, tf.lookup.StaticHashTable | tf.lookup.experimental.MutableHashTable)
    }


def tensor_specs(specs: tuple[TensorSpec, ...]) -> list[Any]:
    """The specs as TensorFlow's own."""
    import tensorflow as tf

    return [tf.TensorSpec(spec.shape, spec.dtype, spec.name) for spec in specs]


def _shape(tensor: Any) -> tuple[int | None, ...]:
    if tensor.shape.rank is None:
        raise ModelError("an output has no fixed number of axes", got=tensor.name)
    return tuple(tensor.shape.as_list())

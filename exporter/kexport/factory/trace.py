"""The one traced function that every format is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kexport.bundle.signature import Signature, TensorSpec
from kexport.errors import ExportError, ModelError, reason
from kexport.runtimes._keras_model import Interface


@dataclass(frozen=True)
class Program:
    """A Keras model, traced once for inference.

    Attributes:
        model: the Keras model.
        interface: how it is called.
        signature: of every artifact made from it.
        core: a TensorFlow concrete function from flat inputs to flat outputs.
    """

    model: Any
    interface: Interface
    signature: Signature
    core: Any


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
    return Program(model, interface, Signature(interface.inputs, outputs), concrete)


def tensor_specs(specs: tuple[TensorSpec, ...]) -> list[Any]:
    """The specs as TensorFlow's own."""
    import tensorflow as tf

    return [tf.TensorSpec(spec.shape, spec.dtype, spec.name) for spec in specs]


def _shape(tensor: Any) -> tuple[int | None, ...]:
    if tensor.shape.rank is None:
        raise ModelError("an output has no fixed number of axes", got=tensor.name)
    return tuple(tensor.shape.as_list())

"""Finding the interface of a Keras model: read from its graph of layers, or else recovered from its calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kexport.bundle.naming import unique
from kexport.bundle.signature import Array, TensorSpec
from kexport.errors import ModelError
from kexport.runtimes.keras_model.call_records import InputRecord
from kexport.runtimes.keras_model.interface import Interface, leaf_names
from kexport.runtimes.keras_model.protocols import FunctionalModel, KerasModel, KerasTensor
from kexport.runtimes.keras_model.recovery import recover_interface
from kexport.runtimes.keras_model.seen_calls import seen


def discover_interface(model: KerasModel, samples: Mapping[str, Array] | None = None) -> Interface:
    """The interface of a model; the outputs of one that is not a graph of layers are unknown until it is traced.

    Args:
        model: functional, sequential or subclassed.
        samples: recorded inputs by name, for a model that was never called.

    Raises:
        ModelError: the inputs of the model cannot be determined, or one is sparse or ragged.
    """
    functional = graph_of_layers(model)
    if functional is None:
        return recover_interface(model, samples or {})
    interface = _of_functional(functional, _any_batch(model))
    return _of_sequential(interface, model, samples or {}) if _is_sequential(model) else interface


def graph_of_layers(model: KerasModel) -> FunctionalModel | None:
    """The graph of layers that the model is, or that Keras made of a sequential model; None where there is none."""
    functional: Any = getattr(model, "_functional", None) or model
    return None if getattr(functional, "_inputs_struct", None) is None else functional


def _any_batch(model: KerasModel) -> bool:
    """Whether any batch size is accepted though one is recorded: a sequential model records that of its first call."""
    stateful = any(getattr(layer, "stateful", False) for layer in model._flatten_layers())
    return _is_sequential(model) and not stateful


def _is_sequential(model: KerasModel) -> bool:
    """Whether Keras may have made the model's input from its first call; such an input is float32, whatever it was."""
    import keras

    return isinstance(model, keras.Sequential)


def _of_sequential(interface: Interface, model: KerasModel, samples: Mapping[str, Array]) -> Interface:
    """The interface with integer dtypes as the samples have them, or the model's first call, where that was seen."""
    import keras

    called: list[InputRecord] = keras.tree.flatten(list(seen(model).values()))
    first = {spec.name: record.dtype for spec, record in zip(interface.inputs, called, strict=False)}
    integers = {name: array.dtype.name for name, array in samples.items() if array.dtype.kind in "iu"}
    guessed = {spec.name for spec in interface.inputs if spec.is_float}
    whole = {name: dtype for name, dtype in first.items() if dtype.startswith(("int", "uint"))}
    return interface.with_dtypes({name: dtype for name, dtype in {**whole, **integers}.items() if name in guessed})


def _of_functional(functional: FunctionalModel, any_batch: bool) -> Interface:
    import keras

    structure = functional._inputs_struct
    tensors: list[KerasTensor] = keras.tree.flatten(structure)
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
        tuple(unique(leaf_names(outputs, _layer_name), taken=names)),
        outputs,
        tuple(f"input {name} is optional in Keras: the artifacts always require it" for name in optional),
    )


def _origin(tensor: KerasTensor) -> Any:
    """The operation that a KerasTensor comes from; None for one that no operation made."""
    history = getattr(tensor, "_keras_history", None)
    return history.operation if history is not None else None


def _layer_name(tensor: KerasTensor) -> str:
    return str(_origin(tensor).name)

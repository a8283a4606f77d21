"""The interface of a model loaded from a `.keras` file, compared with the manifest's signature.

A file keeps neither the name of an input that was not named explicitly, nor that of an operation. Of a model that is
not a graph of layers it keeps the shapes and the structure of its first call, and no dtypes. What the file does
contain is taken from it, and only the rest from the signature, so that another model's file is not mistaken for this
one's.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

import numpy as np

from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.runtimes.keras_model.discovery import discover_interface, graph_of_layers
from kexport.runtimes.keras_model.interface import Interface
from kexport.runtimes.keras_model.protocols import KerasModel

_UNNAMED = re.compile(r"keras_tensor(_\d+)*")  # Keras' own name for an input that has none


def interface_of_file(model: KerasModel, signature: Signature) -> Interface:
    """How a loaded model is called: its inputs as in the file, and as in the signature where the file lacks them."""
    import keras

    graph = graph_of_layers(model) is not None
    # Samples decide the dtypes of what is no graph, and shapes that Keras did not record: nothing is guessed.
    interface = discover_interface(model, None if graph else {s.name: _example(s) for s in signature.inputs})
    if len(interface.inputs) != len(signature.inputs):
        return interface
    guessed = not graph or isinstance(model, keras.Sequential)
    pairs = list(zip(interface.inputs, signature.inputs, strict=True))
    named = not guessed or len(pairs) > 1
    return dataclasses.replace(interface, inputs=tuple(_input(*pair, guessed, named) for pair in pairs))


def output_names(model: KerasModel, interface: Interface, signature: Signature) -> tuple[str, ...]:
    """The names of the outputs; the numbers that Keras appends, which differ by process, are the signature's."""
    wanted = [spec.name for spec in signature.outputs]
    if len(wanted) != len(interface.output_names):
        return interface.output_names
    if not type(model).__module__.startswith("keras.") and not _has_keys(interface.output_structure):
        return tuple(wanted)  # named after layers that the class itself creates and names, perhaps after the model
    pairs = zip(interface.output_names, wanted, strict=True)
    return tuple(want if _without_number(ours) == _without_number(want) else ours for ours, want in pairs)


def _has_keys(structure: object) -> bool:
    """Whether an output has a name in the structure of the outputs."""
    import keras

    return any(isinstance(key, str) for path, _ in keras.tree.flatten_with_path(structure) for key in path)


def _example(spec: TensorSpec) -> Array:
    return np.zeros([size or 1 for size in spec.shape], spec.numpy_dtype)


def _input(ours: TensorSpec, wanted: TensorSpec, guessed: bool, named: bool) -> TensorSpec:
    """The input as the file describes it; what the file does not contain is as wanted."""
    name = ours.name if named and not _UNNAMED.fullmatch(wanted.name) else wanted.name
    if not guessed:
        return dataclasses.replace(ours, name=name)
    # Keras assumes float32 unless it is told otherwise, and records the sizes of the first call.
    dtype = wanted.dtype if ours.is_float else ours.dtype
    shape = wanted.shape if _compatible(ours.shape, wanted.shape) else ours.shape
    return TensorSpec(name, dtype, shape)


def _compatible(one: Sequence[int | None], other: Sequence[int | None]) -> bool:
    pairs = zip(one, other, strict=False)
    return len(one) == len(other) and all(None in (a, b) or a == b for a, b in pairs)


def _without_number(name: str) -> str:
    return re.sub(r"(_\d+)+$", "", name)

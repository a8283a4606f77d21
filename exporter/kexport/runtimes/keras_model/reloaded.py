"""What a `.keras` file tells of a model's inputs and outputs, and what only the manifest can tell.

A file keeps neither the name of an input that nobody named, nor that of an operation. Of a model that is no graph of
layers it keeps the shapes and the structure of what it was first called on, and no dtypes. Whatever it does tell is
told here as it is, so that another model's file does not pass for this one's.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

from kexport.bundle.signature import Signature, TensorSpec
from kexport.runtimes.keras_model.interface import Interface

_UNNAMED = re.compile(r"keras_tensor(_\d+)*")  # Keras' own name for an input that has none


def inputs(model: Any, signature: Signature) -> Interface:
    """How the reloaded model is called, its inputs described by the file, and by the signature where it is silent."""
    import keras

    graph = getattr(getattr(model, "_functional", None) or model, "_inputs_struct", None) is not None
    # Samples settle the dtypes of what is no graph, and shapes that Keras did not record: nothing is guessed.
    face = Interface.of(model, None if graph else {spec.name: _example(spec) for spec in signature.inputs})
    if len(face.inputs) != len(signature.inputs):
        return face
    guessed = not graph or isinstance(model, keras.Sequential)
    pairs = list(zip(face.inputs, signature.inputs, strict=True))
    told = [_told(ours, wanted, guessed, named=not guessed or len(pairs) > 1) for ours, wanted in pairs]
    return dataclasses.replace(face, inputs=tuple(told))


def outputs(model: Any, face: Interface, signature: Signature) -> tuple[str, ...]:
    """The names of the outputs; numbers that Keras counts on in every process are those of the signature."""
    wanted: Sequence[str] = [spec.name for spec in signature.outputs]
    if len(wanted) != len(face.output_names):
        return face.output_names
    if not type(model).__module__.startswith("keras.") and not _keyed(face.output_structure):
        return tuple(wanted)  # named after layers that the class itself makes and names, perhaps after the model
    pairs = zip(face.output_names, wanted, strict=True)
    return tuple(want if _uncounted(ours) == _uncounted(want) else ours for ours, want in pairs)


def _keyed(structure: Any) -> bool:
    """Whether an output has a name in the structure of the outputs."""
    import keras

    return any(isinstance(key, str) for path, _ in keras.tree.flatten_with_path(structure) for key in path)


def _example(spec: TensorSpec) -> Any:
    import numpy as np

    return np.zeros([size or 1 for size in spec.shape], spec.numpy_dtype)


def _told(ours: TensorSpec, wanted: TensorSpec, guessed: bool, named: bool) -> TensorSpec:
    """The input as the file tells it; what it does not tell is as wanted."""
    name = ours.name if named and not _UNNAMED.fullmatch(wanted.name) else wanted.name
    if not guessed:
        return dataclasses.replace(ours, name=name)
    # Keras takes an input for real numbers until it is told otherwise, and writes down the sizes of the first call.
    dtype = wanted.dtype if ours.is_float else ours.dtype
    shape = wanted.shape if _compatible(ours.shape, wanted.shape) else ours.shape
    return TensorSpec(name, dtype, shape)


def _compatible(one: Sequence[int | None], other: Sequence[int | None]) -> bool:
    pairs = zip(one, other, strict=False)
    return len(one) == len(other) and all(None in (a, b) or a == b for a, b in pairs)


def _uncounted(name: str) -> str:
    return re.sub(r"(_\d+)+$", "", name)

"""What Keras recorded when a model was called or built: shapes, and dtypes where it was called on symbolic tensors.

Keras records the shape of the first argument, and those of other arguments only where the model's own `build` takes
them.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from kexport.runtimes.keras_model.protocols import KerasModel

#: The name and the structure of each argument; the leaves of the structures are `InputRecord`s.
Arguments = list[tuple[str, object]]

CONTEXT = ("training",)
_UNKNOWN = ""


@dataclass(frozen=True)
class InputRecord:
    """Shape and dtype of an input that has no name yet; the dtype is empty where it is unknown."""

    shape: tuple[int | None, ...]
    dtype: str


def input_record(shape: Sequence[int | None], dtype: str = _UNKNOWN, *, any_batch: bool = False) -> InputRecord:
    """The record of an input of this shape; with `any_batch` its first axis is dynamic."""
    sizes: tuple[int | None, ...] = tuple(None if size is None else int(size) for size in shape)
    return InputRecord((None, *sizes[1:]) if any_batch and sizes else sizes, dtype)


def float_dtype(model: KerasModel) -> str:
    """The dtype of the model's floating-point inputs: under a mixed policy that of its variables."""
    policy = model.dtype_policy
    dtype = policy.variable_dtype if policy.name.startswith("mixed_") else policy.compute_dtype
    return str(dtype) if str(dtype).startswith(("float", "bfloat")) else "float32"


def parameters(model: KerasModel) -> Mapping[str, inspect.Parameter]:
    """The parameters of the model's `call` that take inputs, by name."""
    accepted = inspect.signature(model.call).parameters
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    named = {name: each for name, each in accepted.items() if name not in CONTEXT and each.kind not in kinds}
    return named or {"inputs": inspect.Parameter("inputs", inspect.Parameter.POSITIONAL_OR_KEYWORD)}


def required(model: KerasModel) -> list[str]:
    """The names of the arguments that a call must pass; the first one always."""
    named = parameters(model)
    return [name for i, (name, each) in enumerate(named.items()) if i == 0 or each.default is inspect.Parameter.empty]


def from_symbolic_call(model: KerasModel) -> Arguments | None:
    """What the model was called with, where it was called on symbolic tensors."""
    import keras

    for node in model._inbound_nodes:
        bound = inspect.signature(model.call).bind_partial(*node.arguments.args, **node.arguments.kwargs).arguments
        arguments = []
        for name, value in bound.items():
            leaves = keras.tree.flatten(value)
            if name not in CONTEXT and leaves and all(isinstance(leaf, keras.KerasTensor) for leaf in leaves):
                arguments.append((name, keras.tree.map_structure(lambda t: input_record(t.shape, t.dtype), value)))
        if arguments:
            return arguments
    return None


def from_build(model: KerasModel) -> dict[str, object] | None:
    """The structures of the arguments whose shapes Keras recorded, by the name of the argument."""
    recorded = _with_defaults(model)
    if not recorded or all(value is None for value in recorded.values()):
        return None
    accepted = list(parameters(model))
    structures = {}
    for index, (key, value) in enumerate(recorded.items()):
        name = key.removesuffix("_shape")
        if name not in accepted:
            name = accepted[0] if index == 0 else name
        if value is not None and name in accepted:
            structures[name] = _records(value)
    return structures or None


def _with_defaults(model: KerasModel) -> dict[str, object]:
    """The shapes that the model was built with: those that were passed, and the defaults of its own `build`."""
    recorded = model._build_shapes_dict
    if recorded is None:
        return {}
    defaults = {name: each.default for name, each in inspect.signature(model.build).parameters.items()
                if is_shape(each.default) and each.default}  # fmt: skip
    return {**{name: value for name, value in defaults.items() if name not in recorded}, **recorded}


def _records(value: Any) -> object:
    """The same structure with a record in place of each shape."""
    if is_shape(value):
        return input_record(value, any_batch=True)
    if isinstance(value, Mapping):
        return {key: _records(each) for key, each in value.items()}
    kind = tuple if isinstance(value, tuple) else list
    return kind(_records(each) for each in value)


def is_shape(value: object) -> TypeGuard[Sequence[int | None]]:
    """Whether a value is the shape of one tensor, not a structure of shapes."""
    return isinstance(value, list | tuple) and all(size is None or isinstance(size, int) for size in value)


def candidate_shapes(model: KerasModel, arguments: Mapping[str, object]) -> list[list[InputRecord]]:
    """Candidate shapes for an argument without a record, in tiers, the likelier ones first.

    The first tier holds the shapes of the other arguments, those that went into a layer or came out of one, and what
    an Embedding that others share may have been given. The second one holds what a concatenation may have appended to
    one of them.

    Args:
        model: the model, with its layers built.
        arguments: structures of the arguments whose shapes are recorded, by name.
    """
    import keras

    given: list[tuple[int | None, ...]] = [record.shape for record in keras.tree.flatten(list(arguments.values()))]
    produced: list[tuple[int | None, ...]] = []
    for layer in model._flatten_layers(include_self=False):
        recorded = layer._build_shapes_dict or {}
        given += [tuple(value) for value in recorded.values() if is_shape(value)]
        try:
            one = len(recorded) == 1
            shape = layer.compute_output_shape(*(recorded.values() if one else ()), **({} if one else recorded))
        except Exception:  # noqa: BLE001  a layer's own code may raise anything; it then adds no candidate
            continue
        if is_shape(shape):
            produced.append(tuple(shape))
    produced += [shape[:-1] for shape in given + produced if len(shape) > 2]
    first = list(dict.fromkeys((None, *shape[1:]) for shape in given + produced if shape))
    appended = [rest for a, b in itertools.permutations(first, 2) if (rest := _appended(a, b))]
    second = dict.fromkeys([*appended, (None,)])
    return [[input_record(shape) for shape in first], [input_record(shape) for shape in second if shape not in first]]


def _appended(one: Sequence[int | None], other: Sequence[int | None]) -> tuple[int | None, ...] | None:
    """What a concatenation appended to the other shape, if it made the first; None if it cannot have."""
    unequal = [axis for axis, (a, b) in enumerate(zip(one, other, strict=False)) if a != b]
    if len(one) != len(other) or len(unequal) != 1:
        return None
    (axis,) = unequal
    a, b = one[axis], other[axis]
    return (*one[:axis], a - b, *one[axis + 1 :]) if a is not None and b is not None and a > b else None

"""Trying how a model may be called: which shapes and dtypes it takes, by tracing it with them."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import itertools
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from kexport.runtimes._keras_interface import Interface

_DTYPES = ("", "int32", "bool", "string")  # the first: as it is
_MOST_DTYPES = 64
_THROUGH = ("Identity", "Reshape", "ExpandDims", "Squeeze", "StridedSlice", "Transpose", "Slice", "Pack", "ConcatV2")
_COMPARISONS = ("Equal", "NotEqual", "Less", "LessEqual", "Greater", "GreaterEqual", "Shape")


def best(model: Any, candidates: Sequence[Interface], sure: Set[str] | Mapping[str, Any]) -> tuple[Interface, Any]:
    """The candidate that gives the layers the shapes they were built with, and its traced function if it has one.

    Args:
        model: which is traced with each.
        candidates: the likeliest first.
        sure: names of inputs whose dtype is known.
    """
    found: tuple[float, Interface, Any] = (float("inf"), candidates[0], None)
    for candidate in candidates:
        for interface in _with_other_dtypes(candidate, sure):
            mismatches, concrete = _trial(model, interface)
            if mismatches < found[0]:
                found = (mismatches, interface, concrete)
            if concrete is not None:
                break
        if found[0] == 0:
            break
    return found[1], found[2]


def whole(interface: Interface, concrete: Any) -> list[str]:
    """The real inputs of which the traced function only makes whole numbers."""
    pairs = zip(interface.inputs, concrete.inputs, strict=False)
    return [spec.name for spec, tensor in pairs if spec.is_float and _is_whole(tensor)]


def is_shape(value: Any) -> bool:
    """Whether it is the shape of one tensor, and no structure of shapes."""
    return isinstance(value, list | tuple) and all(size is None or isinstance(size, int) for size in value)


def _with_other_dtypes(interface: Interface, sure: Set[str] | Mapping[str, Any]) -> Iterator[Interface]:
    """The interface itself, then with whole numbers, truth values or text where nothing tells the dtype."""
    free = [spec.name for spec in interface.inputs if spec.name not in sure]
    for dtypes in itertools.islice(itertools.product(_DTYPES, repeat=len(free)), _MOST_DTYPES):
        chosen = dict(zip(free, dtypes, strict=True))
        specs = [dataclasses.replace(spec, dtype=chosen.get(spec.name) or spec.dtype) for spec in interface.inputs]
        yield dataclasses.replace(interface, inputs=tuple(specs))


def _trial(model: Any, interface: Interface) -> tuple[float, Any]:
    """How many layers get other shapes than they were built with, and the traced function; infinity when it fails."""
    try:
        with _counting_mismatches() as mismatches:
            concrete, _ = interface.concrete(model)
    except Exception:  # noqa: BLE001  the model's own code: whatever it raises, this candidate does not fit
        return float("inf"), None
    return float(len(mismatches)), concrete


@contextlib.contextmanager
def _counting_mismatches() -> Iterator[list[str]]:
    """Within the block, the names of layers are collected that are called on shapes other than they were built with."""
    import keras

    original = keras.layers.Layer.__call__
    found: list[str] = []

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.built and _differs(self, args, kwargs):
            found.append(self.name)
        return original(self, *args, **kwargs)

    keras.layers.Layer.__call__ = call
    try:
        yield found
    finally:
        keras.layers.Layer.__call__ = original


def _differs(layer: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    recorded = layer._build_shapes_dict or {}
    given = dict(zip(inspect.signature(layer.call).parameters, args, strict=False)) | dict(kwargs)
    first = next(iter(given.values()), None)
    for key, shape in recorded.items():
        value = first if len(recorded) == 1 else given.get(key.removesuffix("_shape"))
        own = tuple(getattr(value, "shape", ()))
        if not own or shape is None or not is_shape(shape):
            continue
        if len(own) != len(shape):
            return True
        pairs = zip(own[1:], shape[1:], strict=True)
        if any(None not in (a, b) and a != b for a, b in pairs):
            return True
    return False


def _is_whole(tensor: Any) -> bool:
    """Whether the graph makes whole numbers of the tensor, and beside that only compares it."""
    pending, casts = [tensor], 0
    while pending:
        for consumer in pending.pop().consumers():
            if consumer.type == "Cast" and consumer.outputs[0].dtype.is_integer:
                casts += 1
            elif consumer.type in _THROUGH:
                pending += consumer.outputs
            elif consumer.type not in _COMPARISONS and not (
                consumer.type == "Cast" and consumer.outputs[0].dtype.is_bool
            ):
                return False
    return casts > 0

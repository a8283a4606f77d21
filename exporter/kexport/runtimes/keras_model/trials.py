"""Trying how a model may be called: which shapes and dtypes it takes, by tracing it with them."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import itertools
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from kexport.errors import reason
from kexport.runtimes.keras_model.interface import Interface

_DTYPES = ("", "int32", "bool", "string")  # the first: as it is
_MOST_DTYPES = 64
_THROUGH = ("Identity", "Reshape", "ExpandDims", "Squeeze", "StridedSlice", "Transpose", "Slice", "Pack", "ConcatV2")
_COMPARISONS = ("Equal", "NotEqual", "Less", "LessEqual", "Greater", "GreaterEqual", "Shape")


class UndecidedError(Exception):
    """No candidate fits, or several do alike; the message says which."""


class _MismatchError(Exception):
    """A layer was first called on another shape than it was built with."""


def best(
    model: Any, tiers: Sequence[Sequence[Interface]], guessed: Sequence[str], sure: Set[str] | Mapping[str, Any]
) -> tuple[Interface, Any]:
    """The candidate that gives the layers the shapes they were built with, and its traced function.

    What a layer was built with is what it was called on first. A layer that is called again, as a shared one is, may
    then get other shapes; the candidate with the fewest such calls is taken. A shape that leaves open what another
    tells, or has a 1 that would be broadcast to it, does not stand against that other one.

    Args:
        model: which is traced with each.
        tiers: candidates; those of a later tier are tried when none of the earlier ones fits.
        guessed: names of inputs whose shape is what the candidates differ in.
        sure: names of inputs whose dtype is known.

    Raises:
        UndecidedError: none fits, or several that differ in shapes fit alike.
    """
    failure: Exception | None = None
    for candidates in tiers:
        fitting: list[tuple[int, Interface, Any]] = []
        for candidate in candidates:
            found, error = _fit(model, candidate, sure)
            fitting += [] if found is None else [found]
            failure = failure or error
        fewest = min((other for other, _, _ in fitting), default=0)
        alike = [(interface, concrete) for other, interface, concrete in fitting if other == fewest]
        alike = [one for one in alike if not any(_covers(other[0], one[0]) for other in alike if other is not one)]
        if alike:
            _refuse_unused(*alike[0], guessed)
        if len(alike) > 1:
            raise UndecidedError("; or ".join(_shapes(interface) for interface, _ in alike[:3]) + " fit alike")
        if alike:
            return alike[0]
    told = f", which fails by {reason(failure)}" if failure else ""
    raise UndecidedError(f"no shape that the layers were built with fits the model's code{told}")


def traced(model: Any, candidate: Interface, sure: Set[str] | Mapping[str, Any]) -> tuple[Interface, Any]:
    """The candidate whose shapes are known, with dtypes that the model takes, and its traced function if any does."""
    for interface in _with_other_dtypes(candidate, sure):
        try:
            return interface, interface.concrete(model)[0]
        except Exception:  # noqa: BLE001  the model's own code: whatever it raises, this dtype does not fit
            continue
    return candidate, None


def _fit(
    model: Any, candidate: Interface, sure: Set[str] | Mapping[str, Any]
) -> tuple[tuple[int, Interface, Any] | None, Exception | None]:
    """How often layers get other shapes at later calls, with the dtypes that the model takes; else why it fails."""
    failure: Exception | None = None
    for interface in _with_other_dtypes(candidate, sure):
        try:
            with _compared_with_built() as others:
                concrete, _ = interface.concrete(model)
        except _MismatchError:
            return None, failure
        except Exception as error:  # noqa: BLE001  the model's own code: whatever it raises, this does not fit
            failure = failure or error
        else:
            return (len(others), interface, concrete), None
    return None, failure


def _covers(one: Interface, other: Interface) -> bool:
    """Whether the other's shapes are these, but for sizes that are unknown or 1."""
    shapes = [(a.shape, b.shape) for a, b in zip(one.inputs, other.inputs, strict=True)]
    return all(len(a) == len(b) and all(y in (x, None, 1) for x, y in zip(a, b, strict=True)) for a, b in shapes)


def _refuse_unused(interface: Interface, concrete: Any, guessed: Sequence[str]) -> None:
    for spec, tensor in zip(interface.inputs, concrete.inputs, strict=False):
        if spec.name in guessed and not tensor.consumers():
            raise UndecidedError(f"the model does nothing with {spec.name!r}: any shape fits")


def _shapes(interface: Interface) -> str:
    return ", ".join(f"{spec.name} {spec.shape_text()}" for spec in interface.inputs)


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


@contextlib.contextmanager
def _compared_with_built() -> Iterator[list[str]]:
    """Within the block, a layer's first call on shapes other than its own raises; later such calls are collected."""
    import keras

    original = keras.layers.Layer.__call__
    called: set[int] = set()
    others: list[str] = []

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.built and _differs(self, args, kwargs):
            if id(self) not in called:
                raise _MismatchError(self.name)
            others.append(self.name)
        called.add(id(self))
        return original(self, *args, **kwargs)

    keras.layers.Layer.__call__ = call
    try:
        yield others
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

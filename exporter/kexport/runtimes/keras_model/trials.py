"""Trying how a model may be called: which shapes and dtypes it accepts, by tracing it with them."""

from __future__ import annotations

import contextlib
import inspect
import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from kexport.errors import reason
from kexport.runtimes.keras_model.call_records import is_shape
from kexport.runtimes.keras_model.interface import Interface
from kexport.runtimes.keras_model.patches import Method, replaced
from kexport.runtimes.keras_model.protocols import KerasLayer, KerasModel, TracedFunction, TracedTensor

_DTYPES = ("", "int32", "bool", "string")  # the first: as it is
_MOST_DTYPES = 64
_THROUGH = ("Identity", "Reshape", "ExpandDims", "Squeeze", "StridedSlice", "Transpose", "Slice", "Pack", "ConcatV2")
_COMPARISONS = ("Equal", "NotEqual", "Less", "LessEqual", "Greater", "GreaterEqual", "Shape")


class UndecidedError(Exception):
    """No candidate fits, or several fit equally well; the message says which."""


class _MismatchError(Exception):
    """A layer was first called on another shape than it was built with."""


def best(
    model: KerasModel, tiers: Sequence[Sequence[Interface]], guessed: Sequence[str], certain: Collection[str]
) -> tuple[Interface, TracedFunction]:
    """The candidate that gives the layers the shapes they were built with, and its traced function.

    A layer was built with the shapes of its first call. When it is called again, as a shared layer is, its inputs may
    have other shapes; the candidate with the fewest such calls wins. Where one candidate leaves a size open that
    another states, or has a 1 that would be broadcast to it, the other one wins.

    Args:
        model: traced with each candidate.
        tiers: candidates; those of a later tier are tried when none of the earlier ones fits.
        guessed: names of the inputs in whose shapes the candidates differ.
        certain: names of the inputs whose dtype is certain.

    Raises:
        UndecidedError: no candidate fits, or several that differ in shapes fit equally well.
    """
    failure: Exception | None = None
    for candidates in tiers:
        fits: list[tuple[int, Interface, TracedFunction]] = []
        for candidate in candidates:
            fit, error = _fit(model, candidate, certain)
            fits += [] if fit is None else [fit]
            failure = failure or error
        fewest = min((reshaped for reshaped, _, _ in fits), default=0)
        equal = [(interface, function) for reshaped, interface, function in fits if reshaped == fewest]
        equal = [one for one in equal if not any(_covers(other[0], one[0]) for other in equal if other is not one)]
        if equal:
            _refuse_unused(*equal[0], guessed)
        if len(equal) > 1:
            raise UndecidedError("; or ".join(_shapes(interface) for interface, _ in equal[:3]) + " fit equally well")
        if equal:
            return equal[0]
    because = f", which fails with {reason(failure)}" if failure else ""
    raise UndecidedError(f"no shape that the layers were built with fits the model's code{because}")


def traced(
    model: KerasModel, candidate: Interface, certain: Collection[str]
) -> tuple[Interface, TracedFunction | None]:
    """The candidate, whose shapes are certain, with dtypes that the model accepts; its traced function, if any does."""
    for interface in _with_other_dtypes(candidate, certain):
        try:
            return interface, interface.concrete(model)[0]
        except Exception:  # noqa: BLE001  the model's own code may raise anything: this dtype does not fit
            continue
    return candidate, None


def _fit(
    model: KerasModel, candidate: Interface, certain: Collection[str]
) -> tuple[tuple[int, Interface, TracedFunction] | None, Exception | None]:
    """The number of later calls on other shapes, with the dtypes that the model accepts; or else why it fails."""
    failure: Exception | None = None
    for interface in _with_other_dtypes(candidate, certain):
        try:
            with _compared_with_built() as reshaped:
                function, _ = interface.concrete(model)
        except _MismatchError:
            return None, failure
        except Exception as error:  # noqa: BLE001  the model's own code may raise anything: this does not fit
            failure = failure or error
        else:
            return (len(reshaped), interface, function), None
    return None, failure


def _covers(one: Interface, other: Interface) -> bool:
    """Whether the other's shapes are the same except for sizes that are unknown or 1."""
    shapes = [(a.shape, b.shape) for a, b in zip(one.inputs, other.inputs, strict=True)]
    return all(len(a) == len(b) and all(y in (x, None, 1) for x, y in zip(a, b, strict=True)) for a, b in shapes)


def _refuse_unused(interface: Interface, function: TracedFunction, guessed: Sequence[str]) -> None:
    for spec, tensor in zip(interface.inputs, function.inputs, strict=False):
        if spec.name in guessed and not tensor.consumers():
            raise UndecidedError(f"the model does not use {spec.name!r}: any shape fits")


def _shapes(interface: Interface) -> str:
    return ", ".join(f"{spec.name} {spec.shape_text()}" for spec in interface.inputs)


def integer_inputs(interface: Interface, function: TracedFunction) -> list[str]:
    """The floating-point inputs that the traced function only converts to integers."""
    pairs = zip(interface.inputs, function.inputs, strict=False)
    return [spec.name for spec, tensor in pairs if spec.is_float and _is_integer(tensor)]


def _with_other_dtypes(interface: Interface, certain: Collection[str]) -> Iterator[Interface]:
    """The interface itself, then with integers, booleans or text for the inputs whose dtype is uncertain."""
    free = [spec.name for spec in interface.inputs if spec.name not in certain]
    for dtypes in itertools.islice(itertools.product(_DTYPES, repeat=len(free)), _MOST_DTYPES):
        yield interface.with_dtypes({name: dtype for name, dtype in zip(free, dtypes, strict=True) if dtype})


@contextlib.contextmanager
def _compared_with_built() -> Iterator[list[str]]:
    """Within the block, a layer's first call on shapes it was not built with raises; later such calls are listed."""
    import keras

    called: set[int] = set()
    reshaped: list[str] = []

    def compared(original: Method) -> Method:
        def call(self: KerasLayer, *args: object, **kwargs: object) -> object:
            if self.built and _differs(self, args, kwargs):
                if id(self) not in called:
                    raise _MismatchError(self.name)
                reshaped.append(self.name)
            called.add(id(self))
            return original(self, *args, **kwargs)

        return call

    with replaced(keras.layers.Layer, "__call__", compared):
        yield reshaped


def _differs(layer: KerasLayer, args: Sequence[object], kwargs: Mapping[str, object]) -> bool:
    """Whether a layer is called on shapes other than those it was built with; the batch may differ."""
    recorded = layer._build_shapes_dict or {}
    arguments: dict[str, Any] = dict(zip(inspect.signature(layer.call).parameters, args, strict=False)) | dict(kwargs)
    first = next(iter(arguments.values()), None)
    for key, built in recorded.items():
        value = first if len(recorded) == 1 else arguments.get(key.removesuffix("_shape"))
        shape = tuple(getattr(value, "shape", ()))
        if not shape or not is_shape(built):
            continue
        if len(shape) != len(built):
            return True
        pairs = zip(shape[1:], built[1:], strict=True)
        if any(None not in (a, b) and a != b for a, b in pairs):
            return True
    return False


def _is_integer(tensor: TracedTensor) -> bool:
    """Whether the graph converts the tensor to integers, and beside that only compares it."""
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

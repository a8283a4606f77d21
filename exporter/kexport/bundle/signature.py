"""Names, dtypes and shapes of a model's inputs and outputs, and checking data against them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from kexport.bundle.json_files import FieldError, list_of, member, object_of, optional, text, whole
from kexport.bundle.json_text import Json, JsonObject
from kexport.errors import InputError, ModelError, RunError, nearest

Array = npt.NDArray[Any]
_Value = TypeVar("_Value")

#: Dtypes that NumPy lacks, with the dtype that holds their values here.
_HELD_AS = {"bfloat16": "float32", "string": "str"}

_LARGEST_QUANTIZED = 2  # bytes of an integer that may stand for a real number

_MOST_AXES, _MOST_ELEMENTS = 32, 1 << 40


def held(name: str, dtype: str) -> str:
    """A dtype of TensorFlow by name, whose numbers arrays can hold.

    Raises:
        ModelError: they cannot, because they stand for others by a scale that is elsewhere.
    """
    if dtype.startswith(("qint", "quint")):
        raise ModelError(
            f"{name!r} has numbers of type {dtype}, which no array holds",
            expected="float32, or integers without a scale of their own",
            hint="quantise inside of the function, or bitcast there to int8",
        )
    return dtype


@dataclass(frozen=True)
class TensorSpec:
    """One input or output.

    Attributes:
        name: the same in every format.
        dtype: its name in NumPy, or `"bfloat16"` or `"string"`.
        shape: one size per axis; `None` is a dynamic axis.
        symbols: what the artifact calls the size of each axis, empty where it has no name for it; axes of one name have
            one size. Empty where it names none.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]
    symbols: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_numpy", np.dtype(_HELD_AS.get(self.dtype, self.dtype)))

    @property
    def numpy_dtype(self) -> np.dtype[Any]:
        """The NumPy dtype that holds its values."""
        dtype: np.dtype[Any] = self._numpy  # type: ignore[attr-defined]  # set once, above: this is on the hot path
        return dtype

    @property
    def is_float(self) -> bool:
        """Whether its values are floating-point numbers, real or complex."""
        return self.numpy_dtype.kind in "fc"

    def check(self, value: object) -> Array:
        """The array itself, if it fits.

        Raises:
            InputError: it is not an array, has another dtype, rank or size, or has an axis of length 0.
        """
        if type(value) is not np.ndarray:
            raise InputError(
                f"input {self.name!r} is not a NumPy array",
                got=type(value).__name__,
                expected=f"a NumPy array of {self}",
                hint=f"numpy.asarray(x, dtype={self.dtype!r})",
            )
        wanted = self.numpy_dtype
        if value.dtype is not wanted and value.dtype != wanted and not (value.dtype.kind == wanted.kind == "U"):
            raise InputError(
                f"input {self.name!r} has the wrong dtype",
                got=value.dtype,
                expected=self.dtype,
                hint=self._cast(value),
            )
        shape = value.shape
        if len(shape) != len(self.shape):
            self._refuse(shape)
        for size, expected in zip(shape, self.shape, strict=True):
            if expected is None:
                if size == 0:
                    raise InputError(
                        f"input {self.name!r} is empty",
                        got=f"shape {shape}",
                        expected="at least one element along every axis",
                        hint="runtimes do not handle empty tensors safely; skip the call instead",
                    )
            elif size != expected:
                self._refuse(shape)
        return value

    def _cast(self, value: Array) -> str:
        """How to get the dtype; of real numbers, without cutting off what is behind the point."""
        wanted = self.numpy_dtype
        cast = f"x.astype({str(wanted)!r})"
        if value.dtype.kind != "f" or wanted.kind not in "iu":
            return cast
        if wanted.itemsize > _LARGEST_QUANTIZED:
            return f"{cast}, if these are whole numbers"
        return (
            f"{cast}, if these are whole numbers; where integers stand for real numbers, load the model without "
            f"integers, or pass model.quantization[{self.name!r}].quantized({self.name!r}, x)"
        )

    def describes(self, value: Array) -> bool:
        """Whether an array has this dtype, as far as NumPy has it, and this shape."""
        shape, wanted = value.shape, self.numpy_dtype
        if (
            value.dtype is not wanted
            and value.dtype != wanted
            and not (wanted.kind == "U" and value.dtype.kind in "USO")
        ):
            return False
        if len(shape) != len(self.shape):
            return False
        for size, expected in zip(shape, self.shape):  # noqa: B905, SIM110  as many; a loop is faster, in every call
            if expected is not None and size != expected:
                return False
        return True

    def _refuse(self, shape: tuple[int, ...]) -> None:
        count = f"{len(self.shape)} axes" if len(shape) != len(self.shape) else "these sizes"
        raise InputError(
            f"input {self.name!r} has the wrong shape",
            got=shape,
            expected=f"{self.shape_text()}",
            hint=f"reshape the data to {count}; the first axis counts the samples",
        )

    def shape_text(self) -> str:
        """The shape as people read it: `?` for a dynamic axis."""
        inner = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"({inner},)" if len(self.shape) == 1 else f"({inner})"

    def __str__(self) -> str:
        return f"{self.dtype} {self.shape_text()}"


@dataclass(frozen=True)
class Signature:
    """All inputs and outputs, in the model's own order.

    Attributes:
        inputs: the inputs.
        outputs: the outputs.
        name: what a file that holds several functions calls this one; empty for the one that a bundle states.
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    name: str = ""

    def check(self, feeds: object) -> list[Array]:
        """The arrays in the order of the inputs, if names, dtypes and shapes fit.

        Args:
            feeds: an array for a model with one input, or a mapping from input name to array.

        Raises:
            InputError: the first mismatch.
        """
        inputs = self.inputs
        if not isinstance(feeds, Mapping):
            if len(inputs) != 1:
                raise InputError(
                    f"the model has {len(inputs)} inputs but got one unnamed value",
                    got=type(feeds).__name__,
                    expected=f"a mapping with {_listed(spec.name for spec in inputs)}",
                )
            return [inputs[0].check(feeds)]
        for name in feeds:
            if not any(spec.name == name for spec in inputs):
                raise InputError(
                    f"no input is named {name!r}",
                    got=_listed(map(str, feeds)),
                    expected=_listed(spec.name for spec in inputs),
                    hint=nearest(str(name), [spec.name for spec in inputs]),
                )
        for spec in inputs:
            if spec.name not in feeds:
                raise InputError(
                    f"input {spec.name!r} is missing",
                    got=_listed(feeds),
                    expected=_listed(spec.name for spec in inputs),
                )
        return [spec.check(feeds[spec.name]) for spec in inputs]

    def check_outputs(self, values: Sequence[Array]) -> None:
        """Raise `RunError` unless the outputs have the dtypes and shapes of this signature.

        Args:
            values: the outputs, in its order.
        """
        for spec, value in zip(self.outputs, values, strict=True):
            if not spec.describes(value):
                raise RunError(
                    f"output {spec.name!r} is not what the bundle's manifest states",
                    got=f"{value.dtype} {value.shape}",
                    expected=spec,
                    hint="the artifact is not the model that the manifest describes; build the bundle again",
                )

    def named_outputs(self, values: Sequence[_Value]) -> dict[str, _Value]:
        """The outputs as a mapping from name to value."""
        return {spec.name: value for spec, value in zip(self.outputs, values, strict=True)}

    def to_json(self) -> JsonObject:
        """The `signature` of a manifest."""
        sides: dict[str, Json] = {
            side: [_spec_to_json(spec) for spec in specs]
            for side, specs in (("inputs", self.inputs), ("outputs", self.outputs))
        }
        return {**sides, "name": self.name} if self.name else sides

    @classmethod
    def from_json(cls, data: JsonObject) -> Signature:
        """The inverse of `to_json`.

        Raises:
            FieldError: an entry is missing or of the wrong type, or a dtype or shape is none that a tensor can have.
        """
        inputs, outputs = (member(data, side, list_of(object_of(_spec_from_json))) for side in ("inputs", "outputs"))
        for side, specs in (("inputs", inputs), ("outputs", outputs)):
            names = [spec.name for spec in specs]
            for index, name in enumerate(names):
                if name in names[:index]:
                    raise FieldError((side, index, "name"), f"is {name!r} for the second time")
        return cls(inputs, outputs, optional(data, "name", text, ""))


def _spec_to_json(spec: TensorSpec) -> dict[str, Json]:
    stated: dict[str, Json] = {"name": spec.name, "dtype": spec.dtype, "shape": list(spec.shape)}
    return {**stated, "symbols": list(spec.symbols)} if any(spec.symbols) else stated


def _spec_from_json(data: JsonObject) -> TensorSpec:
    stated = member(data, "name", text), member(data, "dtype", _dtype), member(data, "shape", _shape)
    return TensorSpec(*stated, optional(data, "symbols", list_of(text), ()))


def _dtype(value: Json) -> str:
    """The name of a dtype that a tensor can have: of numbers, truth values or texts, in the notation of manifests."""
    name = text(value)
    if name in _HELD_AS:
        return name
    try:
        known = np.dtype(name)
    except (TypeError, ValueError, SyntaxError):
        known = None
    if known is None or known.name != name or known.kind not in "biufc":
        raise FieldError((), f"is {name[:40]!r}, which is no dtype of a tensor")
    return name


def _shape(value: Json) -> tuple[int | None, ...]:
    """The sizes of a shape that NumPy can represent."""
    shape = list_of(lambda size: None if size is None else whole(size))(value)
    if len(shape) > _MOST_AXES or math.prod(size or 1 for size in shape) > _MOST_ELEMENTS:
        raise FieldError((), "is larger than any tensor")
    return shape


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names)) or "nothing"

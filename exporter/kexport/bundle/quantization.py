"""Integers that stand for real numbers: scale x (integer - zero point), one scale for a whole tensor."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kexport.bundle.json_files import integer, mapping, member, number, object_of, text
from kexport.bundle.json_text import Json, JsonObject
from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.errors import InputError

_DTYPES = ("int8", "uint8", "int16", "uint16")


@dataclass(frozen=True)
class AffineQuantization:
    """How the integers of an input or output stand for real numbers, float32.

    Attributes:
        dtype: of the integers: `"int8"`, `"uint8"`, `"int16"` or `"uint16"`.
        scale: the difference of the real numbers that two successive integers stand for.
        zero_point: the integer that stands for 0.
    """

    dtype: str
    scale: float
    zero_point: int

    def __post_init__(self) -> None:
        if self.dtype not in _DTYPES:
            raise ValueError(f"integers of {self.dtype}, not of {', '.join(_DTYPES)}")
        if not (math.isfinite(self.scale) and self.scale > 0):
            raise ValueError(f"a scale of {self.scale}, not above 0")
        bounds = np.iinfo(self.dtype)
        if not bounds.min <= self.zero_point <= bounds.max:
            raise ValueError(f"a zero point of {self.zero_point}, which is no {self.dtype}")

    def quantized(self, name: str, values: Array) -> Array:
        """The integers that are nearest to real numbers; those outside of the range become its ends.

        Args:
            name: of the input, for the error.
            values: float32, any shape.

        Raises:
            InputError: a value is not a number.
        """
        bounds = np.iinfo(self.dtype)
        rounded = np.rint(values / np.float32(self.scale)) + self.zero_point
        if np.isnan(rounded).any():
            raise InputError(
                f"input {name!r} holds NaN, which no {self.dtype} stands for",
                hint="load the bundle in another precision, or leave such samples out",
            )
        integers: Array = np.clip(rounded, bounds.min, bounds.max).astype(self.dtype)
        return integers

    def real(self, integers: Array) -> Array:
        """The numbers that integers stand for, float32, of the same shape."""
        distance: Array = np.subtract(integers, self.zero_point, dtype="float32")
        distance *= np.float32(self.scale)
        return distance

    def __str__(self) -> str:
        shift = f"- {self.zero_point}" if self.zero_point >= 0 else f"+ {-self.zero_point}"
        return f"{self.scale:.6g} x ({self.dtype} {shift})"

    def to_json(self) -> dict[str, object]:
        """Its entry in a manifest."""
        return {"dtype": self.dtype, "scale": self.scale, "zero_point": self.zero_point}

    @classmethod
    def from_json(cls, data: JsonObject) -> AffineQuantization:
        """The inverse of `to_json`.

        Raises:
            FieldError: an entry is missing or of the wrong type.
            ValueError: no integers stand for real numbers that way.
        """
        return cls(
            member(data, "dtype", text), float(member(data, "scale", number)), member(data, "zero_point", integer)
        )


def of_integers(signature: Signature, quantization: Mapping[str, AffineQuantization]) -> Signature:
    """The signature of the same model where inputs and outputs are the integers themselves."""

    def stored(specs: Iterable[TensorSpec]) -> tuple[TensorSpec, ...]:
        return tuple(
            replace(spec, dtype=quantization[spec.name].dtype) if spec.name in quantization else spec for spec in specs
        )

    return replace(signature, inputs=stored(signature.inputs), outputs=stored(signature.outputs))


def to_json(quantization: Mapping[str, AffineQuantization]) -> dict[str, Any]:
    """The entry of all quantised inputs and outputs of an artifact, by name."""
    return {name: each.to_json() for name, each in quantization.items()}


def from_json(data: Json) -> dict[str, AffineQuantization]:
    """The inverse of `to_json`; raises `FieldError`."""
    entries = mapping(data)
    return {name: member(entries, name, object_of(AffineQuantization.from_json)) for name in entries}

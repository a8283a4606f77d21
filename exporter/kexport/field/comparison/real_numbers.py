"""Two functions in the same numbers, where integers of one stand for real numbers and those of the other do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kexport.bundle.signature import TensorSpec
from kexport.errors import UsageError
from kexport.field.comparison.tensor_pairs import TensorPair, paired
from kexport.field.inspection import DeclaredFunction

_REAL = "float32"


def in_real_numbers(
    a: DeclaredFunction, b: DeclaredFunction, names: Mapping[str, str]
) -> tuple[tuple[DeclaredFunction, DeclaredFunction], list[str]]:
    """Both functions, with floats where one has integers and the other floats, or integers of another scale; and notes.

    Args:
        a: that of A.
        b: that of B.
        names: the user's map from names of A to names of B.
    """
    one, other = a.signature, b.signature
    inputs, outputs = _pairs(one.inputs, other.inputs, names), _pairs(one.outputs, other.outputs, names)
    differing = [pair for pair in (*inputs, *outputs) if _differs(pair, a, b)]
    real_a, real_b = {pair.a.name for pair in differing}, {pair.b.name for pair in differing}
    notes = [
        f"{spec.name} of {side} is {spec.dtype}, converted by its scale"
        for side, signature, real in (("A", one, real_a), ("B", other, real_b))
        for spec in (*signature.inputs, *signature.outputs)
        if spec.name in real and spec.dtype != _REAL
    ]
    return (_with_floats(a, real_a), _with_floats(b, real_b)), notes


def _differs(pair: TensorPair, a: DeclaredFunction, b: DeclaredFunction) -> bool:
    """Whether both have real numbers, each in its own way."""
    ours = _REAL if pair.a.dtype == _REAL else a.quantized.get(pair.a.name)
    theirs = _REAL if pair.b.dtype == _REAL else b.quantized.get(pair.b.name)
    return None not in (ours, theirs) and ours != theirs


def _pairs(a: Sequence[TensorSpec], b: Sequence[TensorSpec], names: Mapping[str, str]) -> list[TensorPair]:
    try:
        return paired("", a, b, names)[0]
    except UsageError:  # it is raised again where the two are called
        return []


def _with_floats(function: DeclaredFunction, names: set[str]) -> DeclaredFunction:
    def real(specs: Sequence[TensorSpec]) -> tuple[TensorSpec, ...]:
        return tuple(replace(spec, dtype=_REAL) if spec.name in names else spec for spec in specs)

    signature = function.signature
    return replace(
        function, signature=replace(signature, inputs=real(signature.inputs), outputs=real(signature.outputs))
    )

"""An artifact that takes and returns integers, for callers who have real numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kexport.bundle.quantization import AffineQuantization
from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.runtimes._session import Opened


def converting(opened: Opened, signature: Signature, stored: Mapping[str, AffineQuantization]) -> Opened:
    """The artifact, with calls in the dtypes of a signature.

    Args:
        opened: the artifact as it is.
        signature: what callers pass and get: where it has floats and the artifact has integers, these are converted.
        stored: how its integers stand for real numbers.
    """
    floats = {spec.name for spec in (*signature.inputs, *signature.outputs) if spec.dtype == "float32"}
    converted = {name: each for name, each in stored.items() if name in floats}
    if not converted:
        return replace(opened, quantization=stored)
    inputs = [(spec.name, converted.get(spec.name)) for spec in signature.inputs]
    outputs = [converted.get(spec.name) for spec in signature.outputs]

    def run(arrays: Sequence[Array]) -> Sequence[Array]:
        given = [each.quantized(name, x) if each else x for (name, each), x in zip(inputs, arrays, strict=True)]
        return [each.real(y) if each else y for each, y in zip(outputs, opened.run(given), strict=True)]

    def real(specs: Sequence[TensorSpec]) -> tuple[TensorSpec, ...]:
        return tuple(replace(spec, dtype="float32") if spec.name in converted else spec for spec in specs)

    return replace(opened, run=run, inputs=real(opened.inputs), produced=real(opened.produced), quantization=stored)

"""A TFLite file on calls of the calibration, evenly spread over it, and what its layers are given there."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kexport.bundle.quantization import AffineQuantization
from kexport.bundle.signature import Array, Signature

_CALLS = 128  # of the model, at most


@dataclass(frozen=True)
class Run:
    """A call that was made.

    Attributes:
        interpreter: that holds its tensors.
        share: of all samples, those of this call.
    """

    interpreter: Any
    share: float

    def outputs(self, signature: Signature) -> dict[str, Array]:
        """The real outputs, in real numbers."""
        details = {each["name"]: each for each in self.interpreter.get_output_details()}
        return {
            spec.name: _real(self.interpreter.get_tensor(details[spec.name]["index"]), details[spec.name])
            for spec in signature.outputs
            if spec.is_float
        }


@dataclass(frozen=True)
class CalibrationRuns:
    """The calls on which files are run.

    Attributes:
        inputs: gives the inputs of every call, each time it is asked.
        signature: of the model.
        samples: how many are run at most, about: reference kernels take long for a large model.
    """

    inputs: Callable[[], Iterator[list[Array]]]
    signature: Signature
    samples: float = math.inf

    @functools.cached_property
    def _sizes(self) -> dict[int, int]:
        """How many samples there are in each call that is made, by its place."""
        sizes = [len(arrays[0]) if arrays and arrays[0].ndim else 1 for arrays in self.inputs()]
        step = max(1.0, len(sizes) / _CALLS, sum(sizes) / self.samples)
        return {int(place): sizes[int(place)] for place in np.arange(0, len(sizes), step)}

    def of(self, path: Path, *, reference: bool) -> Iterator[Run]:
        """Run a file: by reference kernels, which give the same integers everywhere and keep every tensor; or not.

        Raises:
            RuntimeError: the file cannot be run.
            ValueError: it does not take the inputs.
        """
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        kernels = OpResolverType.BUILTIN_REF if reference else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        interpreter = Interpreter(
            str(path), experimental_op_resolver_type=kernels, experimental_preserve_all_tensors=reference
        )
        details = {each["name"]: each for each in interpreter.get_input_details()}
        total = sum(self._sizes.values())
        for place, arrays in enumerate(self.inputs()):
            if place not in self._sizes:
                continue
            given = {spec.name: array for spec, array in zip(self.signature.inputs, arrays, strict=True)}
            for name, array in given.items():
                interpreter.resize_tensor_input(details[name]["index"], array.shape)
            interpreter.allocate_tensors()
            for name, array in given.items():
                interpreter.set_tensor(details[name]["index"], _given(array, details[name]))
            interpreter.invoke()
            yield Run(interpreter, self._sizes[place] / max(1, total))


def spread(count: int, most: int) -> Array:
    """At most so many of the places from 0, each once, all over them and in step with none of their axes."""
    step = max(1, round(count * (math.sqrt(5) - 1) / 2))
    while math.gcd(step, count) > 1:
        step += 1
    return np.arange(min(count, most), dtype=np.int64) * step % max(1, count)


def _given(array: Array, details: Mapping[str, Any]) -> Array:
    """An input as the file takes it: floats as they are, or in its integers."""
    scale, zero_point = details["quantization"]
    dtype = np.dtype(details["dtype"])
    if dtype.kind != "i" or not scale or array.dtype.kind != "f":
        return array.astype(dtype)
    return AffineQuantization(dtype.name, scale, zero_point).quantized(details["name"], array)


def _real(array: Array, details: Mapping[str, Any]) -> Array:
    """What an output stands for."""
    scale, zero_point = details["quantization"]
    values = array.astype(np.float64)
    return (values - zero_point) * scale if array.dtype.kind == "i" and scale else values

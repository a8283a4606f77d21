"""The forms of `samples`: a file, arrays by input, or the array of the only input, named once the model is loaded."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kexport.bundle import data_files
from kexport.bundle.csv_table import CsvTable
from kexport.bundle.signature import Array, Signature
from kexport.errors import UsageError, require_known


@dataclass(frozen=True)
class Recording:
    """Recorded data.

    Attributes:
        origin: what messages call it.
        arrays: the arrays by input name.
        only: the array or table of the only input, whatever its name.
        declared: inputs that also have a declared domain, which is an error if they are recorded.
    """

    origin: str = "samples"
    arrays: Mapping[str, Array] = field(default_factory=dict)
    only: Array | CsvTable | None = None
    declared: frozenset[str] = frozenset()

    @classmethod
    def of(cls, samples: object, declared: Iterable[str] = (), max_bytes: int = 0, left: str = "") -> Recording:
        """The recording that a path, a mapping of arrays or an array stands for.

        Args:
            samples: what was given.
            declared: the inputs whose domains are declared.
            max_bytes: what limits on the size of a file are raised to.
            left: an array or column of the file that is no input, if any.

        Raises:
            InputError: the file cannot be read.
            UsageError: it is empty, or holds an input that also has a declared domain.
        """
        others = frozenset(declared)
        if samples is None:
            return cls()
        origin, stored = "samples", samples
        if isinstance(samples, str | os.PathLike):
            origin, stored = str(samples), data_files.without(data_files.load(Path(samples), max_bytes), left)
        if isinstance(stored, Mapping):
            recording = cls(origin, _all_filled(origin, stored), declared=others)
            recording._refuse_declared(recording.arrays)
            return recording
        only = stored if isinstance(stored, CsvTable) else _filled(origin, np.asarray(stored))
        return cls(origin, only=only, declared=others)

    def named(self, signature: Signature, own: Mapping[str, str]) -> dict[str, Array]:
        """The arrays by input of the model.

        Args:
            signature: that of the model.
            own: the names of its inputs by the names that the model itself has for them.

        Raises:
            UsageError: the model has no such input, the input also has a declared domain, or one array is given for a
                model of several inputs.
            InputError: a number in a table would become another one in the dtype of the input.
        """
        names = [spec.name for spec in signature.inputs]
        arrays = {own.get(name, name): array for name, array in self.arrays.items()}
        if self.only is not None:
            if len(names) != 1:
                raise UsageError(
                    f"{self.origin} holds one array, but the model has {len(names)} inputs",
                    expected="arrays by input, as a .npz or a mapping: " + ", ".join(names),
                )
            only = self.only
            arrays[names[0]] = only.rows_for(signature.inputs[0]) if isinstance(only, CsvTable) else only
        for name in arrays:
            subject = f"{self.origin} holds {name!r}, which is not an input of the model"
            if name not in names and self.origin.endswith(".npz") and set(names) < set(arrays):
                raise UsageError(
                    subject,
                    expected="one of " + ", ".join(names),
                    hint=f"if these are labels: --labels {self.origin}:{name} --metric accuracy",
                )
            require_known(name, names, subject)
        if len(arrays) < len(self.arrays):
            raise UsageError(f"{self.origin} holds an input twice, under two names", got=", ".join(self.arrays))
        self._refuse_declared(arrays, own)
        return arrays

    def _refuse_declared(self, recorded: Iterable[str], own: Mapping[str, str] | None = None) -> None:
        both = sorted({(own or {}).get(name, name) for name in self.declared} & set(recorded))
        if both:
            raise UsageError(
                f"input {both[0]!r} has two domains",
                got=f"recorded samples in {self.origin}, and a declared domain",
                expected="only one of them",
            )

    def examples(self, model: object) -> dict[str, Array]:
        """The arrays by argument of the model's `call`: they show what a model takes that was never called."""
        if self.only is None:
            return dict(self.arrays)
        call = getattr(model, "call", None)
        first = next(iter(inspect.signature(call).parameters), "inputs") if call is not None else "inputs"
        return {first: self.only.values.astype(float) if isinstance(self.only, CsvTable) else self.only}


def _all_filled(origin: str, arrays: Mapping[str, object]) -> dict[str, Array]:
    if not arrays:
        raise UsageError(f"{origin} holds no arrays", expected="recorded samples by input")
    return {str(name): _filled(f"{origin}, {name!r},", np.asarray(value)) for name, value in arrays.items()}


def _filled(origin: str, array: Array) -> Array:
    if not array.ndim or not array.size:
        raise UsageError(
            f"{origin} holds no samples",
            got=f"shape {array.shape}",
            expected="an array whose first axis counts the samples",
        )
    return array

"""Where labels are: a file, a named part of one, which may be that of the samples, or an array."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kexport.bundle import data_files
from kexport.bundle.csv_table import CsvTable
from kexport.bundle.signature import Array
from kexport.errors import InputError, UsageError, nearest

_PARTED = (".npz", ".csv")
_NAMES_OF_CLASSES = "labels are numbers: in place of the name of a class, its index in the model's output"


@dataclass(frozen=True)
class LabelsSource:
    """Labels that can be read.

    Attributes:
        path: the file; None for an array.
        part: the array of a `.npz`, or the title of a column of a `.csv`; empty for the only one, or all columns.
        array: the labels themselves, where there is no file.
    """

    path: Path | None
    part: str = ""
    array: object = None

    @classmethod
    def of(cls, labels: object) -> LabelsSource:
        """The source that a path, `FILE.npz:NAME`, `FILE.csv:TITLE` or an array stands for."""
        if not isinstance(labels, str | os.PathLike):
            return cls(None, array=labels)
        path = Path(labels)
        place, colon, part = str(labels).rpartition(":")
        if colon and not path.exists() and Path(place).suffix in _PARTED:
            return cls(Path(place), part)
        return cls(path)

    def part_of(self, samples: object) -> str:
        """The array or column that is left when the samples are read from a file; empty where that has no labels.

        Raises:
            UsageError: the labels are all of that file.
        """
        if self.path is None or not isinstance(samples, str | os.PathLike) or not _same(self.path, Path(samples)):
            return ""
        if not self.part:
            raise UsageError(
                "the labels and the samples are the same file", got=self.path,
                expected=f"the array or column that holds the labels: --labels {self.path}:NAME",
            )  # fmt: skip
        return self.part

    def read(self, max_bytes: int = 0) -> Array:
        """The labels; the first axis counts the samples.

        Args:
            max_bytes: what limits on the size of a file are raised to.

        Raises:
            InputError: the file cannot be read, or has no such part.
            UsageError: there are no labels.
        """
        labels = np.asarray(self.array) if self.path is None else self._from_file(self.path, max_bytes)
        if not labels.ndim or not labels.size:
            raise UsageError("there are no labels", got=f"shape {labels.shape}", expected="one or more for each sample")
        return labels

    def _from_file(self, path: Path, max_bytes: int) -> Array:
        try:
            stored = data_files.load(path, max_bytes)
        except InputError as error:
            if path.suffix != ".csv" or ", line " not in error.subject:
                raise
            facts = error.facts
            raise InputError(
                error.subject, got=facts["got"], expected=facts["expected"], hint=_NAMES_OF_CLASSES
            ) from None
        if isinstance(stored, CsvTable):
            if self.part:
                return stored.column(self.part)
            return stored.values[:, 0] if stored.values.shape[1] == 1 else stored.values
        if not isinstance(stored, Mapping):
            return stored
        if not self.part and len(stored) == 1:
            return next(iter(stored.values()))
        if self.part not in stored:
            names = ", ".join(stored)
            subject = f"{path} has no array {self.part!r}" if self.part else f"{path} holds {len(stored)} arrays"
            hint = nearest(self.part, stored) if self.part else f"say which one holds the labels: --labels {path}:NAME"
            raise InputError(subject, got=names or "no array", hint=hint)
        return stored[self.part]


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False

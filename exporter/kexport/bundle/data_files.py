"""Data files in .npy, .npz and .csv: inputs of `kexport run`, recorded samples, and outputs."""

from __future__ import annotations

import csv
import math
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

import numpy as np

from kexport.bundle.naming import carried
from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.errors import InputError, UsageError

_KINDS = (".npy", ".npz", ".csv")
Writer = Callable[[Mapping[str, Array], TextIO], None]


def read(path: Path, signature: Signature) -> dict[str, Array]:
    """The arrays of a file, by input name; `signature.check` decides whether they fit the model.

    Raises:
        InputError: the file is missing, damaged or of an unknown kind, or holds something that is not a number.
    """
    only = _only_input(path, signature) if path.suffix in (".npy", ".csv") else None
    stored = load(path)
    if only is None or isinstance(stored, Mapping):
        return _by_input(dict(stored), signature)
    return {only.name: as_rows(stored, only).astype(only.numpy_dtype) if path.suffix == ".csv" else stored}


def _by_input(stored: Mapping[str, Array], signature: Signature) -> dict[str, Array]:
    """The arrays by input, also where the file has a name that no format carries, such as `zip code`."""
    names = {spec.name for spec in signature.inputs}
    renamed = {name: carried(name) for name in stored if name not in names}
    called = list(renamed.values())
    free = {name: new for name, new in renamed.items() if new in names - {*stored} and called.count(new) == 1}
    return {free.get(name, name): array for name, array in stored.items()}


def load(path: Path) -> Mapping[str, Array] | Array:
    """The content of a file: arrays by name (.npz), one array (.npy), or a table of float64 numbers (.csv).

    Raises:
        InputError: the file is missing, damaged or of an unknown kind, or holds something that is not a number.
    """
    if path.suffix not in _KINDS:
        raise InputError(f"{path} is not a file that kexport can read", expected="a file ending in .npy, .npz or .csv")
    try:
        if path.suffix == ".csv":
            return _read_csv(path)
        with path.open("rb") as file:  # NumPy does not close a file that it cannot read
            stored = np.load(file, allow_pickle=False)
            if isinstance(stored, np.ndarray) != (path.suffix == ".npy"):
                raise ValueError(f"not a {path.suffix} file, despite its name")
            return stored if isinstance(stored, np.ndarray) else dict(stored.items())
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except (OSError, ValueError, EOFError, MemoryError, csv.Error, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path} cannot be read", got=error, expected="numbers, without pickled objects") from None


def as_rows(table: Array, spec: TensorSpec) -> Array:
    """The table with one sample per row: a single column is one series, unless a sample is a single value."""
    return table.T if table.shape[1] == 1 and spec.shape[-1:] != (1,) else table


def _only_input(path: Path, signature: Signature) -> TensorSpec:
    if len(signature.inputs) != 1:
        names = ", ".join(spec.name for spec in signature.inputs)
        raise InputError(
            f"a {path.suffix} file holds one array, and the model has {len(signature.inputs)} inputs",
            expected=f"an .npz file with {names}",
        )
    return signature.inputs[0]


def _read_csv(path: Path) -> Array:
    """The table without empty lines and a line of titles."""
    rows: list[list[float]] = []
    with path.open(newline="", encoding="utf-8-sig") as file:
        for number, cells in enumerate(csv.reader(file), start=1):
            if not cells or (number == 1 and not any(map(_is_number, cells))):
                continue  # an empty line, or a line of titles
            rows.append([_number(path, number, column, cell) for column, cell in enumerate(cells, start=1)])
            if len(rows[-1]) != len(rows[0]):
                raise InputError(
                    f"{path} has rows of different lengths",
                    got=f"{len(rows[-1])} values in line {number}",
                    expected=f"{len(rows[0])}, as in the first row",
                )
    if not rows:
        raise InputError(f"{path} holds no numbers", expected="at least one row")
    return np.asarray(rows)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _number(path: Path, line: int, column: int, cell: str) -> float:
    value = float(cell) if _is_number(cell) else math.nan
    if not math.isfinite(value):
        raise InputError(
            f"{path}, line {line}, column {column}: not a finite number",
            got=repr(cell),
            expected="a finite number",
            hint="fill or remove the gaps in a recording first",
        )
    return value


def writer_for(output: str | None, signature: Signature) -> Writer:
    """A function that writes the outputs to a file, or to a stream if there is none.

    Raises:
        UsageError: the file is of an unknown kind, is in no folder, or cannot hold several outputs.
    """
    suffix = ".csv" if output is None else Path(output).suffix
    if suffix not in _KINDS:
        raise UsageError(
            f"{output} is not a file that kexport can write", expected="a file ending in .npy, .npz or .csv"
        )
    if suffix != ".npz" and len(signature.outputs) != 1:
        raise UsageError(
            f"the model has {len(signature.outputs)} outputs, and {output or 'standard output'} can hold one",
            hint="--output FILE.npz",
        )
    if output is None:
        return _print_csv
    if not Path(output).parent.is_dir():
        raise UsageError(f"{output} cannot be written", got="no such folder")
    return lambda outputs, stream: _write_file(Path(output), outputs)


def _write_file(path: Path, outputs: Mapping[str, Array]) -> None:
    try:
        if path.suffix == ".npz":
            np.savez(path, **outputs)  # type: ignore[arg-type]
        elif path.suffix == ".npy":
            np.save(path, next(iter(outputs.values())))
        else:
            with path.open("w", encoding="utf-8") as stream:
                _print_csv(outputs, stream)
    except OSError as error:
        raise UsageError(f"{path} cannot be written", got=error.strerror or error) from None


def _print_csv(outputs: Mapping[str, Array], stream: TextIO) -> None:
    (array,) = outputs.values()
    for row in array.reshape(len(array), -1) if array.ndim else array.reshape(1, 1):
        stream.write(",".join(map(str, row)) + "\n")

"""Data files in .npy, .npz and .csv: inputs of `kexport run`, recorded samples, and outputs."""

from __future__ import annotations

import contextlib
import csv
import errno
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO, TypeAlias

import numpy as np

from kexport.bundle import csv_table, npz
from kexport.bundle.archives import EXPANSION, Archive
from kexport.bundle.csv_table import CsvTable
from kexport.bundle.naming import carried
from kexport.bundle.regular_files import most_of, read_regular
from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.cleanup import undone_by
from kexport.errors import InputError, UsageError

_KINDS = (".npy", ".npz", ".csv")
Stored: TypeAlias = Mapping[str, Array] | Array | CsvTable
Writer = Callable[[Mapping[str, Array], TextIO], None]


def read(path: Path, signature: Signature, max_bytes: int = 0, left: str = "") -> dict[str, Array]:
    """The arrays of a file, by input name; `signature.check` decides whether they fit the model.

    Args:
        path: the file.
        signature: that of the model.
        max_bytes: what limits on its size are raised to.
        left: the array or column that is no input, if any.

    Raises:
        InputError: the file is missing, damaged or of an unknown kind, or holds something that is not a number; or a
            number in a table would become another one in the dtype of the input.
    """
    only = _only_input(path, signature) if path.suffix in (".npy", ".csv") else None
    stored = without(load(path, max_bytes), left)
    if isinstance(stored, Mapping):
        return _by_input(stored, signature)
    assert only is not None
    return {only.name: stored.rows_for(only) if isinstance(stored, CsvTable) else stored}


def _by_input(stored: Mapping[str, Array], signature: Signature) -> dict[str, Array]:
    """The arrays by input, also where the file has a name that no format carries, such as `zip code`."""
    names = {spec.name for spec in signature.inputs}
    renamed = {name: carried(name) for name in stored if name not in names}
    called = list(renamed.values())
    free = {name: new for name, new in renamed.items() if new in names - {*stored} and called.count(new) == 1}
    return {free.get(name, name): array for name, array in stored.items()}


def load(path: Path, max_bytes: int = 0) -> Stored:
    """The content of a file: arrays by name (.npz), one array (.npy), or a table of numbers (.csv).

    Args:
        path: the file.
        max_bytes: what limits on its size are raised to.

    Raises:
        InputError: the file is missing, damaged or of an unknown kind, or holds something that is not a number.
    """
    if path.suffix not in _KINDS:
        raise InputError(f"{path} is not a file that kexport can read", expected="a file ending in .npy, .npz or .csv")
    try:
        if path.suffix == ".csv":
            return csv_table.read(path, max(csv_table.MOST_TEXT, max_bytes))
        if path.suffix == ".npy":
            return npz.array_in(memoryview(bytearray(read_regular(path, most=most_of(max_bytes=max_bytes)))), path.name)
        # Copied: somebody else may change the file while its arrays are in use.
        archive = Archive(path, expansion=max(EXPANSION, max_bytes))
        arrays = {name: np.array(array) for name, array in npz.NpzArrays(archive).items()}
        if not arrays:
            raise ValueError("it holds no array")
        return arrays
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except (OSError, ValueError, MemoryError, csv.Error) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read", got=why, expected="numbers, without pickled objects") from None


def without(stored: Stored, left: str) -> Stored:
    """What a file holds besides an array or column of this name; all of it where the name is empty.

    Raises:
        InputError: there is no such array or column.
    """
    if not left or not isinstance(stored, Mapping | CsvTable):
        return stored
    if isinstance(stored, CsvTable):
        return stored.without(left)
    return {name: array for name, array in stored.items() if name != left}


def _only_input(path: Path, signature: Signature) -> TensorSpec:
    if len(signature.inputs) != 1:
        names = ", ".join(spec.name for spec in signature.inputs)
        raise InputError(
            f"a {path.suffix} file holds one array, and the model has {len(signature.inputs)} inputs",
            expected=f"an .npz file with {names}",
        )
    return signature.inputs[0]


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
    """Write the outputs whole, or not at all; what is not a file, such as a device, is written as it is."""
    target = Path(os.path.realpath(path))  # what a link points to is replaced, and the link stays
    if target.is_symlink():
        raise UsageError(f"{path} cannot be written", got=os.strerror(errno.ELOOP))
    special = target.exists() and not target.is_file()
    unfinished = target if special else target.with_name(f".kexport.{os.getpid()}{path.suffix}")

    def clean_up() -> None:
        if not special:
            with contextlib.suppress(OSError):
                unfinished.unlink()

    try:
        with undone_by(clean_up):
            _write_as(path.suffix, unfinished, outputs)
            if not special:
                unfinished.replace(target)
    except OSError as error:
        clean_up()
        raise UsageError(f"{path} cannot be written", got=error.strerror or error) from None


def _write_as(suffix: str, path: Path, outputs: Mapping[str, Array]) -> None:
    if suffix == ".npz":
        npz.write(path, outputs)
    elif suffix == ".npy":
        with path.open("wb") as file:
            np.save(file, next(iter(outputs.values())), allow_pickle=False)
    else:
        with path.open("w", encoding="utf-8", newline="") as stream:
            _print_csv(outputs, stream)


def _print_csv(outputs: Mapping[str, Array], stream: TextIO) -> None:
    (array,) = outputs.values()
    rows = csv.writer(stream, lineterminator="\n")
    for row in array.reshape(len(array), -1) if array.ndim else array.reshape(1, 1):
        rows.writerow(map(str, row))

"""Whole models in one HDF5 file, as Keras 2 and 3 write them under a name that ends in `.h5` or `.hdf5`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kexport.bundle.json_text import parse
from kexport.bundle.regular_files import open_regular
from kexport.errors import BundleError, ModelError
from kexport.runtimes.keras_model.weights import stored_in

if TYPE_CHECKING:
    import h5py

SUFFIXES = (".h5", ".hdf5")
_CONFIG, _WEIGHTS, _VERSION = "model_config", "model_weights", "keras_version"


def is_h5(path: Path) -> bool:
    """Whether a file is one of HDF5, by its name."""
    return path.suffix in SUFFIXES


def h5_config(path: Path, most: int) -> object:
    """The configuration of the model, as JSON; nothing of it runs.

    Args:
        path: the file.
        most: the largest size of the configuration, in bytes.

    Raises:
        ModelError: the file is damaged, or holds weights only.
    """
    with _opened(path) as file:
        if _CONFIG not in file.attrs or _WEIGHTS not in file:
            raise ModelError(
                f"{path} holds no whole model",
                got="weights alone" if len(file) else "nothing",
                expected="a model with its configuration: model.save('name.keras'), or 'name.h5'",
                hint="write a function that makes the model, calls model.load_weights(file) and returns it: "
                "--model file.py:function",
            )
        return parse(_bytes(file.attrs[_CONFIG]), _CONFIG, most=most, finite=False)


def h5_stored(path: Path, expansion: int) -> int:
    """How many bytes the weights in the file have; raises `ModelError` where they are damaged or elsewhere."""
    with _opened(path) as file:
        return stored_in(file, path.stat().st_size, path.name, expansion)


def h5_version(path: Path) -> str:
    """The version of Keras that wrote the file, as the file states it."""
    with _opened(path) as file:
        return _bytes(file.attrs.get(_VERSION, b"of an unknown version")).decode(errors="replace")


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    """The file; a flaw in it is a `ModelError`, also where the block finds that."""
    import h5py

    try:
        with open_regular(path) as stream, h5py.File(stream, "r") as file:
            yield file
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, BundleError) as error:
        raise ModelError(
            f"{path} cannot be read as an HDF5 file",
            got=f"{error.subject}: {error.facts['got']}" if isinstance(error, BundleError) else error,
            expected="a file that model.save('name.h5') wrote, complete",
            hint="save or copy it again",
        ) from None

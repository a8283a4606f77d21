"""The weights of a `.keras` file: how much is stored of them, and no more memory than that for those of the model.

The configuration alone decides how large the variables are that Keras creates, before it looks into the file.
"""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterator
from numbers import Integral
from typing import TYPE_CHECKING

from kexport.bundle.archives import EXPANSION, Archive
from kexport.errors import ModelError
from kexport.runtimes.keras_model.patches import Method, replaced

if TYPE_CHECKING:
    import h5py

_H5, _NPZ = "model.weights.h5", "model.weights.npz"
_MOST_OBJECTS = 1 << 16  # in a file: a model of 10,000 layers has half of that
_GROWTH = 8  # from an int8 number in the file to a float64 variable


class _Member(io.RawIOBase):
    """A member of an archive as a file that h5py can read."""

    def __init__(self, content: memoryview) -> None:
        self._content, self._at = content, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._content)}[whence]
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # io names no type of buffers
        part = self._content[self._at : self._at + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


def stored_bytes(archive: Archive, expansion: int = EXPANSION) -> int:
    """How many bytes the weights in a file have.

    Args:
        archive: the `.keras` file.
        expansion: by how many bytes they may exceed what is there of them: arrays of one number take none.

    Raises:
        ValueError: they are damaged, too large, in another format than Keras writes, or partly in another file.
    """
    import h5py

    if _NPZ in archive:
        raise ValueError(f"{_NPZ} is in it, which Keras does not write")
    if _H5 not in archive:
        return 0
    content = archive[_H5]
    try:
        with h5py.File(io.BufferedReader(_Member(content)), "r") as file:
            return stored_in(file, len(content), _H5, expansion)
    except (OSError, KeyError, RuntimeError, TypeError) as error:
        raise ValueError(f"{_H5} is damaged: {error}") from None


def stored_in(file: h5py.File, size: int, name: str, expansion: int) -> int:
    """How many bytes the weights in an HDF5 file have.

    Args:
        file: the opened file.
        size: its size in bytes.
        name: what errors call it.
        expansion: by how many bytes the weights may exceed that.

    Raises:
        ValueError: they are too large, or partly in another file.
    """
    total: int = sum(math.prod(dataset.shape) * dataset.dtype.itemsize for dataset in _datasets(file, name))
    if total > size + expansion:
        raise ValueError(f"the {size} bytes of {name} stand for {total} bytes of weights")
    return total


def _datasets(file: h5py.File, name: str) -> Iterator[h5py.Dataset]:
    """Every dataset once; raises `ValueError` for one that is elsewhere, and for more objects than any model has.

    Not by `visititems`, and without the paths of objects, which HDF5 finds by a search of the file.
    """
    import h5py

    pending, seen, count = [file.id], set(), 0
    while pending:
        group = pending.pop()
        for key in group:
            count += 1
            if count > _MOST_OBJECTS:
                raise ValueError(f"{name} holds more than {_MOST_OBJECTS} groups and arrays")
            if group.links.get_info(key).type != h5py.h5l.TYPE_HARD:
                raise ValueError(f"{name}: {h5py.Group(group).name} links to another place")
            found = h5py.h5o.open(group, key)
            about = h5py.h5o.get_info(found)
            if (about.fileno, about.addr) in seen:
                continue
            seen.add((about.fileno, about.addr))
            if isinstance(found, h5py.h5g.GroupID):
                pending.append(found)
            elif isinstance(found, h5py.h5d.DatasetID):
                dataset = h5py.Dataset(found)
                if dataset.external or dataset.is_virtual:
                    raise ValueError(f"{name}: {dataset.name} is kept in another file")
                yield dataset


@contextlib.contextmanager
def as_stored(name: str, stored: int, expansion: int = EXPANSION) -> Iterator[None]:
    """Within the block, Keras makes of the weights of a file what is stored, and of other variables not many more.

    No variables need much more memory than the file has of them, and no complex numbers become real ones.

    Args:
        name: the name of the file.
        stored: how many bytes they have.
        expansion: how many bytes more are allowed: some variables are in no file.

    Raises:
        ModelError: it tried to make something else.
    """
    import keras

    most, taken = _GROWTH * stored + expansion, 0
    refused: list[ModelError] = []

    def counting(original: Method) -> Method:
        def create(self: object, initializer: object, shape: object = None, *args: object, **more: object) -> object:
            nonlocal taken
            sizes = shape if isinstance(shape, tuple | list) else [shape]
            taken += 4 * math.prod(int(size) for size in sizes if isinstance(size, Integral))
            if taken > most:
                refused.append(
                    ModelError(
                        f"{name} describes more weights than it holds",
                        got=f"{taken} bytes for those of its layers",
                        expected=f"about the {stored} bytes that are stored of them",
                        hint="--max-bytes allows more memory, if you trust the file",
                    )
                )
                raise refused[0]
            return original(self, initializer, shape, *args, **more)

        return create

    def whole(original: Method) -> Method:
        def assign(self: keras.Variable, value: object) -> object:
            dtype = str(getattr(value, "dtype", ""))
            if dtype.startswith("complex") and not self.dtype.startswith("complex"):
                refused.append(
                    ModelError(
                        f"{name} holds complex numbers for weights that are real",
                        got=f"{dtype} for {self.path}",
                        expected=self.dtype,
                        hint="Keras would drop the imaginary parts: state the dtype of the weight in add_weight()",
                    )
                )
                raise refused[0]
            return original(self, value)

        return assign

    try:
        with replaced(keras.Variable, "__init__", counting), replaced(keras.Variable, "assign", whole):
            yield
    finally:
        if refused:  # whatever Keras made of it
            raise refused[0] from None

"""Files that are checked before a runtime sees them, and the error that a flaw in one becomes."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from kexport.bundle.regular_files import resolved
from kexport.confinement import most_of_a_call, most_of_a_tensor, most_seconds
from kexport.errors import ArtifactError, InputError
from kexport.runtimes.soundness.flaw import FlawError

if TYPE_CHECKING:
    from kexport.runtimes.soundness.onnx_costs import CostLimits
    from kexport.runtimes.soundness.onnx_sizes import Found, Windows
    from kexport.runtimes.soundness.onnx_tensors import Dims

#: Where a path begins so, ONNX Runtime takes the offset for an address in memory, unless it is new enough to refuse.
_MEMORY = "*/_ORT_"
_Found = TypeVar("_Found")


def require_sound_tflite(path: Path, *, reference: bool = False) -> str:
    """Check a TFLite file.

    Args:
        path: the file.
        reference: whether LiteRT's reference kernels are to run it, which demand more.

    Returns:
        The first operator whose time or memory the values of a call decide; empty where there is none.

    Raises:
        ArtifactError: it is not one that a runtime can load and run safely.
    """
    from kexport.runtimes.soundness.tflite_costs import CallLimits
    from kexport.runtimes.soundness.tflite_file import check_tflite

    def check(content: memoryview) -> str:
        return check_tflite(content, lambda inputs: limits(len(content), inputs))

    def limits(weights: int, inputs: int) -> CallLimits:
        most = most_of_a_call(weights, inputs) // 2
        return CallLimits(most, most_seconds(weights, inputs), reference)

    return _checked(path, "TFLite", check)


class SoundOnnx(NamedTuple):
    """An ONNX file that was checked.

    Attributes:
        weights: its bytes, and those of its weights beside it.
        windows: pooling windows that fit only some inputs, if there are any.
        decided_by_values: the first loop whose end the values of a call decide, or node that may take too long or too
            much, or end the process; empty where there is none.
        foldable: whether the size of all that depends on nothing but constants is known.
    """

    weights: int
    windows: Windows | None
    decided_by_values: str
    foldable: bool

    def require_fitting(self, shapes: Mapping[str, Dims]) -> None:
        """Raise `InputError` where inputs of these shapes are too small for a window of the model."""
        if self.windows is None:
            return
        try:
            self.windows.require_fitting(shapes)
        except FlawError as error:
            flaw = error
        else:
            return
        raise InputError(f"the inputs do not fit {flaw.place}", got=flaw.got, expected=flaw.expected)


def require_sound_onnx(path: Path) -> SoundOnnx:
    """Check an ONNX file.

    Raises:
        ArtifactError: it is not one that a runtime can load and run safely.
    """
    from kexport.runtimes.soundness.onnx_file import check_onnx

    folder, sizes = path.parent, dict[str, int]()

    def size_beside(location: str) -> int:
        if not location or os.path.isabs(location):
            raise OSError(None, "its path is not relative")
        if location.startswith(_MEMORY):
            raise OSError(None, "it names memory of ONNX Runtime")
        if location not in sizes:
            sizes[location] = os.path.getsize(resolved(folder / location, folder))
        return sizes[location]

    def check(content: memoryview) -> Found:
        sizes[""] = len(content)
        return check_onnx(content, size_beside, lambda inputs: _cost_limits(sizes, inputs))

    found = _checked(path, "ONNX", check)
    return SoundOnnx(sum(sizes.values()), found.windows, found.apart, found.foldable)


def _cost_limits(sizes: Mapping[str, int], inputs: int) -> CostLimits:
    """What a model may take, from the sizes of its file and those beside it, and of its inputs."""
    from kexport.runtimes.soundness.onnx_costs import CostLimits

    weights = sum(sizes.values())
    return CostLimits(most_of_a_tensor(weights, inputs), most_seconds(weights, inputs), sizes[""])


def _is_empty(path: Path) -> bool:
    return path.is_file() and path.stat().st_size == 0


def _checked(path: Path, format_name: str, check: Callable[[memoryview], _Found]) -> _Found:
    """What a check finds in the content of a file, of which only what is looked at is read.

    Args:
        path: the file.
        format_name: what its format is called.
        check: raises `FlawError`.

    Raises:
        ArtifactError: it has a flaw, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            # Closed when the last view of it goes, some of which an error may hold.
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return check(memoryview(content))
    except FlawError as error:
        flaw = error
    except (OSError, ValueError) as error:  # an empty file cannot be mapped
        raise ArtifactError(
            f"{path.name} cannot be read",
            got="an empty file" if _is_empty(path) else getattr(error, "strerror", None) or error,
            hint="copy or build the bundle again",
        ) from None
    raise ArtifactError(
        f"{path.name} is not a sound {format_name} file: {flaw.place}",
        got=flaw.got,
        expected=flaw.expected,
        hint="it would crash the runtime; copy it again, or if it was built so, tell whoever built it",
    )

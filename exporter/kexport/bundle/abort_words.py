"""What is said of operators of integers at which kernels may end the process, and the way out."""

from __future__ import annotations

from collections.abc import Iterator

from kexport.bundle.manifest import Artifact

#: Of an operator, behind its name and layer; takes how many numbers it is of.
ABORTS = "is of {:,} numbers: in 8 bits, reference kernels end the process where these are nearly equal"
WAY_OUT_OF_ABORTS = (
    "hint: keep that layer in float (--keep LAYER), choose int16x8 (--precision), or leave the softmax to whoever calls"
)


def abort_words(artifact: Artifact) -> Iterator[str]:
    """What is known about each such operator of an artifact."""
    for op, layer, numbers in artifact.may_abort:
        yield f"{op} of {layer} {ABORTS.format(numbers)}"

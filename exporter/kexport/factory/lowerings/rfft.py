"""Fourier transforms of real numbers, and back: matrices instead.

tf2onnx maps the magnitude of a whole RFFT alone, and TFLite RFFT2D alone, of lengths that are powers of two. There
the operator stays if nothing but real and imaginary parts, magnitude or angle is asked of it.
Source: see `_dft.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kexport.factory.lowerings import _dft
from kexport.factory.lowerings._lowering import Lowering
from kexport.factory.lowerings._pair import pair


def lengths(wanted: Any) -> list[Any]:
    """The numbers in a vector of lengths; scalar tensors where they are not known."""
    import tensorflow as tf

    known = tf.get_static_value(wanted, partial=True)
    known = [None] * wanted.shape[0] if known is None else list(known)
    return [wanted[axis] if size is None else int(size) for axis, size in enumerate(known)]


def _emit(op: Any, inputs: Sequence[Any]) -> Sequence[Any]:
    x, wanted = inputs
    if op.type.startswith("I"):
        return [_dft.from_onesided(pair(x), lengths(wanted))]
    return [_dft.onesided(x, lengths(wanted))]


LOWERING = Lowering(
    "rfft", ("onnx",), ("RFFT", "RFFT2D", "RFFT3D", "IRFFT", "IRFFT2D", "IRFFT3D"), _emit, on_complex=True
)

"""Fourier transforms of real numbers in TFLite: its own RFFT2D where it can, matrices elsewhere.

TFLite's RFFT2D computes in float64, but only lengths that are powers of two and known, and few operators take its
complex result. Its zeros have either sign.
Source: see `_dft.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Size, Tensor
from kexport.factory.lowerings import _dft
from kexport.factory.lowerings._complex_pair import ComplexPair
from kexport.factory.lowerings._rule import Lowering

_TAKERS = {"Real", "ComplexAbs"}


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor | ComplexPair]:
    import tensorflow as tf

    if not _built_in(op, inputs):
        return [_dft.real_transform(op, inputs)]
    x, wanted = inputs
    whole = (tf.raw_ops.RFFT if op.type == "RFFT" else tf.raw_ops.RFFT2D)(input=x, fft_length=wanted)
    if _kept(op):
        return [whole]
    imag = _dft.own_conjugates_real(tf.math.imag(whole), _dft.known_lengths(wanted))
    return [ComplexPair(tf.math.real(whole), imag)]


def _built_in(op: Operation, inputs: Sequence[Tensor]) -> bool:
    sizes = _dft.known_lengths(inputs[1])
    powers = all(isinstance(size, int) and size > 1 and size & (size - 1) == 0 for size in sizes)
    return op.type in ("RFFT", "RFFT2D") and powers and inputs[0].dtype.name == "float32" and _fits(inputs[0], sizes)


def _fits(x: Tensor, sizes: Sequence[Size]) -> bool:
    return list(x.shape[-len(sizes) :]) == list(sizes)


def _kept(op: Operation) -> bool:
    return all(consumer.type in _TAKERS for consumer in op.outputs[0].consumers())


LOWERING = Lowering("rfft_tflite", ("tflite",), _dft.REAL_OPS, _emit, on_complex=True)

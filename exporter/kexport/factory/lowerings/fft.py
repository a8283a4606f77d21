"""Fourier transforms of complex numbers, which neither TFLite nor tf2onnx maps, as products with matrices.

onnxruntime's own DFT is off by 1e-2 where the length is not a power of two.
Source: see `_dft.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings import _dft
from kexport.factory.lowerings._complex_pair import ComplexPair, pair
from kexport.factory.lowerings._rule import Lowering

_AXES = {"FFT": 1, "FFT2D": 2, "FFT3D": 3, "IFFT": 1, "IFFT2D": 2, "IFFT3D": 3}


def _emit(op: Operation, inputs: Sequence[Tensor | ComplexPair]) -> Sequence[ComplexPair]:
    import tensorflow as tf

    x, count = pair(inputs[0]), _AXES[op.type]
    shape = tf.shape(x.real)
    lengths = [shape[axis] if size is None else size for axis, size in enumerate(x.shape)]
    return [_dft.transform(x, lengths[-count:], inverse=op.type.startswith("I"))]


LOWERING = Lowering("fft", ("onnx", "tflite"), tuple(_AXES), _emit, on_complex=True)

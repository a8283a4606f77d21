"""Complex numbers between operations: neither ONNX nor TFLite has them, so two real tensors stand for one."""

from __future__ import annotations

from dataclasses import dataclass

from kexport.factory.graph.protocols import DType, Shape, Tensor
from kexport.factory.lowerings._rule import UnsupportedError


@dataclass(frozen=True, eq=False)
class ComplexPair:
    """A complex tensor: its real and its imaginary part, of one shape and dtype."""

    real: Tensor
    imag: Tensor

    @property
    def shape(self) -> Shape:
        """The shape of either part."""
        return self.real.shape

    @property
    def dtype(self) -> DType:
        """The complex dtype."""
        import tensorflow as tf

        return tf.complex128 if self.real.dtype == tf.float64 else tf.complex64


def pair(value: Tensor | ComplexPair) -> ComplexPair:
    """The two parts of a tensor, which may be a pair already, a constant, or an output of the converter's own operator.

    Raises:
        UnsupportedError: the tensor is complex, and an input of the model, or of a loop or branch.
    """
    import tensorflow as tf

    if isinstance(value, ComplexPair):
        return value
    if not value.dtype.is_complex:
        return ComplexPair(value, tf.zeros_like(value))
    constant = tf.get_static_value(value)
    if constant is not None:
        return ComplexPair(tf.constant(constant.real), tf.constant(constant.imag))
    if value.op.type == "Placeholder":
        raise UnsupportedError("complex numbers cannot enter the model, a loop or a branch in this format")
    return ComplexPair(tf.math.real(value), tf.math.imag(value))

"""Complex numbers between operations: neither ONNX nor TFLite carries them, two real tensors do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kexport.errors import ExportError


@dataclass(frozen=True, eq=False)
class Pair:
    """A complex tensor: its real and its imaginary part, of one shape."""

    real: Any
    imag: Any

    @property
    def shape(self) -> Any:
        """As a tensor's."""
        return self.real.shape

    @property
    def dtype(self) -> Any:
        """The complex dtype."""
        import tensorflow as tf

        return tf.complex128 if self.real.dtype == tf.float64 else tf.complex64


def pair(value: Any) -> Pair:
    """What stands for a complex tensor, also where it is a constant or an operation of the converter's own.

    Raises:
        ExportError: the tensor is an input of the model, or of a loop or branch.
    """
    import tensorflow as tf

    if isinstance(value, Pair):
        return value
    if not value.dtype.is_complex:
        return Pair(value, tf.zeros_like(value))
    constant = tf.get_static_value(value)
    if constant is not None:
        return Pair(tf.constant(constant.real), tf.constant(constant.imag))
    if value.op.type == "Placeholder":
        raise ExportError(
            "complex numbers cannot enter the model, a loop or a branch in this format",
            got=value.op.name,
            hint="pass the real and the imaginary part as two tensors",
        )
    return Pair(tf.math.real(value), tf.math.imag(value))

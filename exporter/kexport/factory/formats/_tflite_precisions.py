"""Small precisions of TensorFlow's converter, <https://ai.google.dev/edge/litert/models/post_training_quantization>."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from kexport.bundle.signature import Array


class QuantisingConverter(Protocol):
    """The part of TensorFlow's converter that says how to quantise."""

    target_spec: Any
    optimizations: Sequence[object]
    representative_dataset: Callable[[], Iterator[list[Array]]]


def set_precision(converter: QuantisingConverter, precision: str, inputs: Callable[[], Iterator[list[Array]]]) -> None:
    """Have the converter write a small precision, with ranges that the inputs show; they are read where it needs them.

    Inputs and outputs of the model keep their dtypes. An operation without integer kernels stays in float.
    """
    import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    sets = tf.lite.OpsSet
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    elif precision != "dynamic":
        converter.representative_dataset = inputs
        integer = {
            "int8": sets.TFLITE_BUILTINS_INT8,
            "int16x8": sets.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
        }[precision]
        converter.target_spec.supported_ops = [integer, sets.TFLITE_BUILTINS]

"""Small precisions of TensorFlow's converter, <https://ai.google.dev/edge/litert/models/post_training_quantization>."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from kexport.bundle.quantization import AffineQuantization, to_json
from kexport.bundle.signature import Array, Signature
from kexport.factory.formats._integer_io import integers_refused
from kexport.runtimes.files import tflite
from kexport.runtimes.files.protocols import TfliteModel


class QuantisingConverter(Protocol):
    """The part of TensorFlow's converter that says how to quantise."""

    target_spec: Any
    optimizations: Sequence[object]
    representative_dataset: Callable[[], Iterator[list[Array]]]
    inference_input_type: object
    inference_output_type: object


def set_precision(
    converter: QuantisingConverter,
    precision: str,
    inputs: Callable[[], Iterator[list[Array]]],
    *,
    integer_io: bool = False,
) -> None:
    """Have the converter write a small precision, with ranges that the inputs show; they are read where it needs them.

    Inputs and outputs of the model keep their dtypes, unless they are to be integers. An operation without integer
    kernels stays in float.
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
        if integer_io:
            dtype = {"int8": tf.int8, "int16x8": tf.int16}[precision]
            converter.inference_input_type = converter.inference_output_type = dtype


def quantization_of(model: TfliteModel, signature: Signature) -> dict[str, object]:
    """How the integer inputs and outputs of a file stand for the floats of the signature; for the manifest.

    Raises:
        ExportError: one of them is not of integers.
    """
    graph, types = model.subgraphs[0], tflite.numbered(tflite.schema().TensorType)
    tensors = {
        (tensor.name or b"").decode(): tensor for tensor in (graph.tensors[n] for n in (*graph.inputs, *graph.outputs))
    }
    found = {}
    for spec in (*signature.inputs, *signature.outputs):
        if spec.is_float:
            tensor = tensors[spec.name]
            dtype, scales = types[tensor.type].lower(), tensor.quantization
            if "int" not in dtype or scales is None or scales.scale is None or scales.zeroPoint is None:
                raise integers_refused("tflite", spec.name, dtype)
            found[spec.name] = AffineQuantization(dtype, float(scales.scale[0]), int(scales.zeroPoint[0]))
    return to_json(found)

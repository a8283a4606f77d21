"""Small precisions of TensorFlow's converter, <https://ai.google.dev/edge/litert/models/post_training_quantization>."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from kexport.bundle.quantization import AffineQuantization, to_json
from kexport.bundle.signature import Array, Signature
from kexport.errors import ExportError
from kexport.factory.formats._integer_io import integers_refused
from kexport.runtimes.files import tflite
from kexport.runtimes.files.protocols import TfliteModel

_NO_RANGE = 1e-37  # of a step: the least float32 that is not subnormal, about


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


def require_scales(model: TfliteModel, layer: Callable[[str], str]) -> None:
    """Refuse a file with scales that are no numbers, as the converter writes them behind what is always 0.

    Args:
        model: the file.
        layer: the layer that computes a tensor of a name, in words.

    Raises:
        ExportError: it has such scales; with the layers that give nothing but 0.
    """
    endless = False
    still: dict[str, None] = {}
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            scales = np.ravel([] if tensor.quantization is None else _scales(tensor))
            endless = endless or not np.isfinite(scales).all()
            if scales.size == 1 and 0 <= scales[0] < _NO_RANGE:
                still[layer((tensor.name or b"").decode())] = None
    if endless:
        raise ExportError(
            "the model cannot be written in integers",
            got=f"nothing but 0 from {', '.join(still) or 'a layer'} on all calibration inputs",
            expected="numbers that have a range",
        )


def _scales(tensor: Any) -> Array:
    scale = tensor.quantization.scale
    return np.asarray([] if scale is None else scale, np.float64)


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

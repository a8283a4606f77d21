"""TFLite with built-in operators only: no runtime that devices install runs Flex operators."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kexport.bundle.signature import Signature
from kexport.errors import ExportError
from kexport.factory.formats._format import Format
from kexport.runtimes import _tflite_file


def convert(saved_model: str, target: str, signature: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Convert a SavedModel's `serving_default`; yields the details once.

    Raises:
        ExportError: the model needs an operation that TFLite has no built-in operator for.
    """
    import tensorflow as tf
    from tensorflow.lite.tools import flatbuffer_utils

    converter = tf.lite.TFLiteConverter.from_saved_model(saved_model, signature_keys=["serving_default"])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    try:
        content = converter.convert()
    except Exception as error:  # the converter's own exception type is private to it
        raise _refusal(str(error)) from error
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    _use_public_names(model, Signature.from_json(signature))
    Path(target).write_bytes(flatbuffer_utils.convert_object_to_bytearray(model))
    yield {"tensorflow": tf.__version__, **_tflite_file.details(Path(target))}


def _refusal(message: str) -> ExportError:
    missing = re.findall(r"^\s*tf\.(\w+)\(", message, re.MULTILINE) or re.findall(r"Flex(\w+)", message)
    first = next((line for line in message.splitlines() if "error:" in line), message.strip().split("\n")[0])
    return ExportError(
        "the model cannot be written with TFLite's built-in operators",
        got=", ".join(sorted(set(missing))) or first[:300],
        hint="leave that layer outside of the model, or build --formats without tflite",
    )


def _use_public_names(model: Any, signature: Signature) -> None:
    """Name and order the graph's inputs and outputs as the manifest does.

    The converter calls them `serving_default_x:0` and `StatefulPartitionedCall:0`, and orders them by the alphabet.
    """
    graph = model.subgraphs[0]
    entry = model.signatureDefs[0]
    for side, specs, maps in (
        ("inputs", signature.inputs, entry.inputs),
        ("outputs", signature.outputs, entry.outputs),
    ):
        index_of = {item.name.decode(): int(item.tensorIndex) for item in maps}
        indices = [index_of[spec.name] for spec in specs]
        if len(set(indices)) != len(indices):
            raise ExportError(
                f"two {side} of the model are one tensor in TFLite, which cannot bear two names",
                got=", ".join(spec.name for spec in specs),
                hint="return each tensor once",
            )
        setattr(graph, side, indices)
        for index, spec in zip(indices, specs, strict=True):
            graph.tensors[index].name = spec.name.encode()


FORMAT = Format(
    name="tflite",
    path="model.tflite",
    modules=(),
    summary="TFLite flatbuffer, built-in operators only",
    converter="kexport.factory.formats.tflite:convert",
)

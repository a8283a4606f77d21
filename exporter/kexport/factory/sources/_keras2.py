"""Models of Keras 2 (`tf_keras`): they are written as a SavedModel, of which a function is the model here."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kexport.bundle.naming import unique
from kexport.errors import MissingCodeError, ModelError, located
from kexport.factory.trace import Served, served
from kexport.runtimes.keras_model import KERAS_2, STRIPS, custom_objects, granted, missing_code, objects_in, sought_in
from kexport.scratch import temporary_folder

_LAYERS_OF_FUNCTIONS = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer")
#: Modules of TensorFlow whose functions only compute: an operation of a functional model may be any of them.
_COMPUTING = {
    "array_ops", "array_ops_stack", "clip_ops", "image_ops_impl", "linalg_impl", "linalg_ops", "math_ops", "nn_impl",
    "nn_ops", "sort_ops", "special_math_ops", "tensor_getitem_override", "gen_array_ops", "gen_math_ops", "gen_nn_ops",
}  # fmt: skip


def is_model(value: object) -> bool:
    """Whether a value is a model of Keras 2; no process holds one without `tf_keras`."""
    keras2 = sys.modules.get(KERAS_2)
    return keras2 is not None and isinstance(value, keras2.Model)


def from_model(model: Any) -> Served:
    """The function that a model of Keras 2 computes when it does not train.

    Raises:
        ModelError: it was never called, takes arguments besides its inputs, has layers that were for training alone, or
            cannot be written as a SavedModel.
    """
    import tensorflow as tf

    spec = model.save_spec()
    if spec is None:
        raise ModelError(
            f"the inputs of {model.name!r}, a model of Keras 2, are unknown",
            got="a model that was never called",
            expected="a model that was called on data, or begins with tf_keras.Input(...)",
        )
    _require_stripped(model)
    given, (structure, *others), options = tf.nest.flatten(spec), spec[0], spec[1]
    if others or options:
        raise ModelError(
            f"{model.name!r}, a model of Keras 2, takes arguments besides its inputs",
            got=", ".join([*map(str, others), *options]),
            expected="all inputs in the first argument: a list or a dictionary",
        )
    names = unique([tensor.name.partition(":")[0] for tensor in given])
    specs = [tf.TensorSpec(tensor.shape, tensor.dtype, name) for name, tensor in zip(names, given, strict=True)]

    @tf.function(input_signature=specs)
    def serve(*tensors: object) -> dict[str, object]:
        outputs = model(tf.nest.pack_sequence_as(structure, tensors), training=False)
        if isinstance(outputs, dict):
            return outputs
        flat = tf.nest.flatten(outputs)
        return dict(zip(_output_names(model, len(flat)), flat, strict=True))

    module = tf.Module()
    module.model, module.serve = model, serve
    try:
        with temporary_folder() as folder:
            tf.saved_model.save(module, str(folder), signatures=serve)
            return served.load(folder, model.name)
    except ModelError:
        raise
    except Exception as error:  # the model's own code may raise anything while it is traced
        raise ModelError(f"{model.name!r}, a model of Keras 2, cannot be traced", got=located(error)) from error


def _require_stripped(model: Any) -> None:
    """Refuse layers that change their weights at every call, which was for training alone."""
    wrapped = [layer for layer in getattr(model, "layers", ()) if type(layer).__name__ in STRIPS]
    if wrapped:
        strip = STRIPS[type(wrapped[0]).__name__]
        raise ModelError(
            f"{model.name!r}, a model of Keras 2, still has the layers that it was pruned or clustered with",
            got=", ".join(layer.name for layer in wrapped),
            expected="the model without them, which computes the same and keeps no state",
            hint=f"give what {strip}(model) returns",
        )


def from_file(path: Path, config: object, refused: ModelError | MissingCodeError) -> Served:
    """The function of a file that Keras 2 wrote, read with `tf_keras`.

    Args:
        path: a `.keras` or `.h5` file.
        config: its configuration, in which no Lambda lies that is not allowed.
        refused: why Keras 3 cannot read it.

    Raises:
        ModelError: `tf_keras` is not here either, or cannot read the file.
        MissingCodeError: it holds what is not registered with `tf_keras`, or calls what does more than compute.
    """
    if importlib.util.find_spec(KERAS_2) is None:
        raise refused
    keras2 = importlib.import_module(KERAS_2)
    _require_computing(path, config)
    find = keras2.saving.get_registered_object
    if missing := [each for each in custom_objects(config) if find(each.name) is None]:
        raise missing_code(path.name, missing, granted())
    try:
        model = keras2.models.load_model(path, compile=False, safe_mode=not granted().allow_lambda)
    except Exception as error:  # a layer's own code may raise anything while it is created again
        if (sought := sought_in(error)) is not None:  # an .h5 file does not say where a class is from
            raise missing_code(path.name, [sought], granted()) from error
        raise ModelError(
            f"{path.name} of Keras 2 cannot be loaded with {KERAS_2} {keras2.__version__}", got=located(error)
        ) from error
    return from_model(model)


def _require_computing(path: Path, config: object) -> None:
    """Refuse a file whose layers call functions of TensorFlow, by name, that may do more than compute."""
    doubtful = sorted(set(_functions(config)))
    if doubtful and not granted().allow_lambda:
        raise MissingCodeError(
            f"{path.name} calls functions of TensorFlow that may do more than compute",
            got=", ".join(doubtful),
            expected="operations on tensors",
            hint="if you trust the file, add --allow-lambda",
        )


def _functions(config: object) -> Iterator[str]:
    from tensorflow.python.util.tf_export import get_symbol_from_name

    for entry in objects_in(config):
        settings = entry.get("config")
        if entry["class_name"] in _LAYERS_OF_FUNCTIONS and isinstance(settings, dict):
            name = str(settings.get("function", settings.get("node_def", "")))
            home = getattr(get_symbol_from_name(name), "__module__", "").rpartition(".")[2]
            if home not in _COMPUTING and not name.startswith("__operators__."):
                yield name


def _output_names(model: Any, count: int) -> list[str]:
    """The names that Keras 2 gives to the outputs, in an order that sorting keeps; else numbers."""
    names = list(getattr(model, "output_names", None) or ())
    if len(names) == count and len(set(names)) == count and names == sorted(names):
        return names
    return [f"output_{index}" for index in range(count)]

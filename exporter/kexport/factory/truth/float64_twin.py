"""The same model in float64: made again from its configuration, or, where that does not tell all, changed in place.

In place means that for a while its layers compute in float64 and its variables hold their values in float64. It
needs no configuration, so it serves subclassed models, whose configuration tells little of their layers.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any


def is_float(name: object) -> bool:
    """Whether a dtype or policy of that name is one of real numbers."""
    return isinstance(name, str) and name.startswith(("float", "bfloat", "mixed_"))


@contextlib.contextmanager
def everywhere() -> Iterator[None]:
    """Within the block, what names no dtype of its own is float64."""
    import keras

    policy, floatx = keras.config.dtype_policy(), keras.config.floatx()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)


def twin(model: Any) -> Any:
    """The model made again from its configuration, in float64, with the same weights; may raise anything."""
    import keras

    classes = {type(layer).__name__: type(layer) for layer in model._flatten_layers()}
    config = _in_double(keras.saving.serialize_keras_object(model))
    # The classes and any Lambda are already running in this process: nothing new is trusted.
    own = {name: kind for name, kind in classes.items() if not kind.__module__.startswith("keras.")}
    with keras.saving.custom_object_scope(own), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Keras warns of here is tried below
        made = keras.saving.deserialize_keras_object(config, safe_mode=False)
    made.set_weights(model.get_weights())
    return made


def _in_double(config: Any) -> Any:
    """A Keras configuration with every float dtype and policy in it replaced by float64."""
    if isinstance(config, list):
        return [_in_double(item) for item in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy" and is_float(config["config"]["name"]):
        return {**config, "config": {**config["config"], "name": "float64"}}
    return {
        key: "float64" if key == "dtype" and is_float(value) else _in_double(value) for key, value in config.items()
    }


@contextlib.contextmanager
def in_place(model: Any) -> Iterator[Any]:
    """Within the block, the model itself computes in float64; may raise anything.

    Raises:
        NotImplementedError: a layer is quantised.
    """
    import keras
    import tensorflow as tf

    double = keras.DTypePolicy("float64")
    with contextlib.ExitStack() as stack:
        for layer in model._flatten_layers():
            if getattr(layer, "quantization_mode", None):
                raise NotImplementedError(f"{layer.name} is quantised")
            if is_float(layer.dtype_policy.name):
                _change(stack, layer, "_dtype_policy", double)
            for tensor in getattr(layer, "_inputs", None) or ():
                if is_float(tensor.dtype):  # a functional model makes its inputs what these say
                    _change(stack, tensor, "_dtype", "float64")
        for variable in model.weights:
            if is_float(keras.backend.standardize_dtype(variable._dtype)):
                value = tf.Variable(tf.cast(variable._value, tf.float64))
                _change(stack, variable, "_value", value)
                _change(stack, variable, "_dtype", "float64")
        yield model


def _change(stack: contextlib.ExitStack, owner: Any, attribute: str, value: Any) -> None:
    """Set an attribute until the stack is left; not through the owner, which would track what it is given."""
    before = getattr(owner, attribute)
    object.__setattr__(owner, attribute, value)
    stack.callback(object.__setattr__, owner, attribute, before)

"""The same model in float64: rebuilt from its configuration, or changed in place where that does not describe it.

In place means that for a while its layers compute in float64 and its variables hold their values in float64. It
needs no configuration, so it works for subclassed models, whose configuration says little about their layers.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

from kexport.factory.trace.protocols import BuiltModel

_CASTS = ("Cast", "SaturateCast")


def is_float(name: object) -> bool:
    """Whether the name is that of a dtype, or of a dtype policy, of real numbers."""
    return isinstance(name, str) and name.startswith(("float", "bfloat", "mixed_"))


@contextlib.contextmanager
def everywhere() -> Iterator[None]:
    """Within the block, layers and tensors that name no dtype are float64."""
    import keras

    policy, floatx = keras.config.dtype_policy(), keras.config.floatx()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)


def twin(model: BuiltModel) -> BuiltModel:
    """The model rebuilt from its configuration, in float64, with the same weights; may raise anything."""
    import keras

    classes = {type(layer).__name__: type(layer) for layer in model._flatten_layers()}
    config = _in_double(keras.saving.serialize_keras_object(model))
    # The classes and any Lambda are already running in this process: nothing new is trusted.
    custom = {name: kind for name, kind in classes.items() if not kind.__module__.startswith("keras.")}
    with keras.saving.custom_object_scope(custom), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a model that Keras warns of here is compared with the original anyway
        rebuilt: BuiltModel = keras.saving.deserialize_keras_object(config, safe_mode=False)
    rebuilt.set_weights(model.get_weights())
    for own, double in zip(_operations(model), _operations(rebuilt), strict=True):
        if type(own).__name__ in _CASTS and _changes_dtype(own):
            _give_another_tensor(double)
    return rebuilt


def _operations(model: Any) -> Iterator[Any]:
    """The operations of a functional model, and of models in it."""
    for operation in getattr(model, "operations", ()):
        yield operation
        yield from _operations(operation)


def _changes_dtype(cast: Any) -> bool:
    """Whether it does wherever it is used."""
    return all(tensor.dtype != cast.dtype for node in cast._inbound_nodes for tensor in node.input_tensors)


def _give_another_tensor(cast: Any) -> None:
    """Let a cast that became one from float64 to float64 give another tensor than it takes, without a mask.

    A cast to another dtype does, so that what follows computes on masked steps too; TensorFlow gives the tensor itself,
    mask and all, where the dtype stays.
    """
    import tensorflow as tf

    same = cast.call
    cast.call = lambda x: tf.identity(same(x))


def _in_double(config: object) -> object:
    """A Keras configuration, with every float dtype and policy in it replaced by float64."""
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
def in_place(model: BuiltModel) -> Iterator[None]:
    """Within the block, the model computes in float64; may raise anything.

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
        yield


def _change(stack: contextlib.ExitStack, owner: object, attribute: str, value: object) -> None:
    """Set an attribute until the stack is left; not through the owner, which would track the value."""
    before = getattr(owner, attribute)
    object.__setattr__(owner, attribute, value)
    stack.callback(object.__setattr__, owner, attribute, before)

"""The model of the reference bundle `lowpass`, but that it remembers something of an earlier call."""

import importlib
import tempfile
from pathlib import Path

import keras
from keras import ops


class FirstLength(keras.layers.Layer):
    """Steps beyond the length of the first call are 0."""

    def build(self, shape):
        self.kept = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(-1.0), trainable=False, name="kept"
        )

    def call(self, x):
        length = ops.cast(ops.shape(x)[1], "float32")
        first = ops.where(self.kept < 0, length, self.kept)
        self.kept.assign(first)
        steps = ops.cast(ops.arange(ops.shape(x)[1]), "float32")
        return x * ops.expand_dims(ops.cast(steps < first, "float32"), 0)


class LastMean(keras.layers.Layer):
    """A hundredth of the last call's mean comes out with this one."""

    def build(self, shape):
        self.kept = self.add_weight(shape=(), initializer="zeros", trainable=False, name="kept")

    def call(self, x):
        leaked = x + 0.01 * self.kept
        self.kept.assign(ops.mean(x))
        return leaked


def write_tflite(layer: type[keras.layers.Layer], path: Path) -> None:
    """Write the low-pass filter with this layer behind it."""
    from kexport.factory import formats
    from kexport.factory.emit import handover
    from kexport.factory.trace.program import trace
    from kexport_layers import low_pass_filter

    signal = keras.Input((None,), name="signal")
    filtered = layer(name="filtered")(low_pass_filter.LowPassFilter(5)(signal))
    with tempfile.TemporaryDirectory() as folder:
        handover.write(trace(keras.Model(signal, filtered)), Path(folder) / "handover")
        module, _, function = formats.get("tflite").converter.partition(":")
        list(getattr(importlib.import_module(module), function)(f"{folder}/handover", str(path), {}))

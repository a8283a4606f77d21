"""What a layer makes of its weights alone is a constant in ONNX and TFLite."""

import numpy as np
import pytest

import kexport
from kexport.testing.closeness import assert_close


@pytest.fixture(scope="module")
def operators(tmp_path_factory):
    """The operators of each format of a model that transforms its weights in several ways."""
    import keras

    @keras.saving.register_keras_serializable(package="folding")
    class Transformed(keras.layers.Layer):
        def build(self, shape):
            self.square = self.add_weight(name="square", shape=(4, 4), initializer="glorot_uniform")
            self.row = self.add_weight(name="row", shape=(1, 4), initializer="ones")

        def call(self, x):
            norm = keras.ops.max(keras.ops.svd(self.square, compute_uv=False))
            signed = keras.ops.abs(x @ (keras.ops.sin(self.square) / norm))
            wide = keras.ops.tile(self.row, (200_000, 1))  # large only when it is a constant
            return signed + keras.ops.mean(wide) * keras.ops.max(x)

    x = keras.Input((4,), name="x")
    model = keras.Model(x, Transformed(name="y")(x))
    folder = tmp_path_factory.mktemp("folding")
    bundle = kexport.build(model, folder / "folded", formats=["onnx", "tflite"])
    assert bundle.passed
    sizes = {artifact.format: artifact.bytes for artifact in bundle.manifest.artifacts}
    return {each.format: set(each.details["ops"]) for each in bundle.manifest.artifacts}, sizes


def test_operations_on_weights_alone_are_gone(operators):
    found, _ = operators
    assert not found["onnx"] & {"Sin", "Loop", "Sqrt", "TopK"}
    assert not {name.split()[0] for name in found["tflite"]} & {"SIN", "WHILE", "SQRT"}


def test_operations_on_inputs_stay(operators):
    found, _ = operators
    assert {"Abs", "MatMul"} <= found["onnx"]


def test_a_constant_that_would_be_large_is_not_made(operators):
    _, sizes = operators
    assert max(sizes.values()) < 100_000


def test_values_are_those_of_the_weights(tmp_path):
    import keras

    from kexport.factory.emit import handover
    from kexport.factory.emit.emission import emit
    from kexport.factory.trace.program import trace

    class Doubled(keras.layers.Layer):
        def build(self, shape):
            self.weight = self.add_weight(name="weight", shape=(3,), initializer=keras.initializers.Constant(0.25))

        def call(self, x):
            return x + keras.ops.exp(2 * self.weight)

    x = keras.Input((3,), name="x")
    handover.write(trace(keras.Model(x, Doubled()(x))), tmp_path / "program")
    emitted = emit(handover.read(tmp_path / "program"), "onnx")
    import tensorflow as tf

    constants = [tf.get_static_value(op.outputs[0]) for op in emitted.graph.get_operations() if op.type == "Const"]
    of_the_shape = [value for value in constants if np.shape(value) == (3,) and np.asarray(value).dtype == "float32"]
    assert_close(min(of_the_shape, key=lambda value: np.abs(value - np.exp(0.5)).max()), np.exp(0.5))
    assert not [op for op in emitted.graph.get_operations() if op.type == "Exp"]

import keras
import numpy as np
import pytest

from kexport import KexportError, build, load
from kexport.factory.trace import state, trace


class Counting(keras.layers.Layer):
    """Multiplies by the number of calls so far."""

    def build(self, shape):
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="calls")

    def call(self, x):
        self.calls.assign_add(1.0)
        return x * self.calls


def counting():
    inputs = keras.Input((3,))
    return keras.Model(inputs, Counting(name="counting")(inputs))


def recurrent():
    inputs = keras.Input(batch_shape=(2, 5, 3))
    return keras.Model(inputs, keras.layers.LSTM(4, stateful=True, name="memory")(inputs))


@pytest.mark.parametrize(("make", "layer"), [(counting, "counting"), (recurrent, "memory")])
def test_onnx_refuses_state_and_names_the_layer(tmp_path, make, layer):
    with pytest.raises(KexportError, match="freeze") as refused:
        build(make(), tmp_path / "bundle", formats=["onnx"])
    assert repr(layer) in str(refused.value)


def test_tflite_keeps_state_and_its_checks_begin_anew(tmp_path):
    model = counting()
    model(np.ones((1, 3), "float32"))
    bundle = build(model, tmp_path / "bundle", formats=["tflite"])
    assert bundle.passed
    session = load(bundle.path)
    assert [session(np.ones((1, 3), "float32"))[0, 0] for _ in range(3)] == [2, 3, 4]


def test_a_seed_that_no_output_depends_on_is_no_state():
    inputs = keras.Input((8, 8, 3))
    program = trace(keras.Model(inputs, keras.layers.MixUp()(inputs)))
    assert state.kept(program.core.graph) == {}


def test_tracing_a_recurrent_layer_resets_its_state():
    model = recurrent()
    x = np.ones((2, 5, 3), "float32")
    first = np.asarray(model(x))
    program = trace(model)
    model(x)
    program.reset()
    np.testing.assert_array_equal(np.asarray(model(x)), first)

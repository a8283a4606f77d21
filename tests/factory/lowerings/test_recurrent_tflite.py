import keras
import numpy as np
import pytest
from recurrent_truth import recurrent

from kexport.testing.closeness import assert_close

RNG = np.random.default_rng(4)
X = RNG.normal(size=(3, 6, 4)).astype("float32")
CASES = [
    (keras.layers.LSTM, {}),
    (keras.layers.LSTM, {"use_bias": False, "activation": "relu", "recurrent_activation": "hard_sigmoid"}),
    (keras.layers.GRU, {}),
    (keras.layers.GRU, {"reset_after": False, "recurrent_activation": "relu6"}),
    (keras.layers.GRU, {"use_bias": False, "activation": "linear"}),
    (keras.layers.SimpleRNN, {}),
    (keras.layers.SimpleRNN, {"use_bias": False, "activation": "sigmoid"}),
]


@pytest.mark.parametrize(("kind", "settings"), CASES)
@pytest.mark.parametrize("steps", [None, 6])
@pytest.mark.parametrize("whole", [False, True])
def test_the_loop_computes_the_layer_for_any_batch(exported, kind, settings, steps, whole):
    layer = kind(5, return_sequences=whole, return_state=True, go_backwards=steps is None, **settings)
    inputs = keras.Input((steps, 4))
    initial = [keras.Input((5,)) for _ in range(2 if kind is keras.layers.LSTM else 1)]
    model = keras.Model([inputs, *initial], list(layer(inputs, initial_state=initial)))
    for weight in model.weights:
        weight.assign(RNG.normal(0, 0.4, weight.shape))
    given = [RNG.normal(size=(3, 5)).astype("float32") for _ in initial]
    outputs, states = recurrent(layer, X, given)
    results, operators = exported(model, "tflite", X, *given)
    assert sum(count for name, count in operators.items() if name.startswith("WHILE")) == 1
    for values in results:
        for value, truth in zip(values, [outputs if whole else outputs[:, -1], *states], strict=True):
            assert_close(value, truth, ulps=32, scale=max(1, np.abs(truth).max()))


def test_a_masked_layer_keeps_its_own_loop_and_is_right(exported):
    mask = RNG.random((3, 6)) > 0.5
    inputs, given = keras.Input((None, 4)), keras.Input((None,), dtype="bool")
    layer = keras.layers.GRU(5, return_sequences=True)
    model = keras.Model([inputs, given], layer(inputs, mask=given))
    outputs, _ = recurrent(layer, X, None, mask)
    results, _ = exported(model, "tflite", X, mask)
    for (value,) in results:
        assert_close(value, outputs, ulps=32, scale=1)

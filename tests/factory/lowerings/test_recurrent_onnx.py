import keras
import numpy as np
import pytest
from recurrent_truth import recurrent

from kexport.testing.closeness import assert_close

RNG = np.random.default_rng(3)
X = RNG.normal(size=(4, 7, 3)).astype("float32")
#: No step counts, all do, only some at the end, some anywhere.
MASK = np.stack([np.zeros(7), np.ones(7), np.arange(7) > 3, RNG.random(7) > 0.5]).astype(bool)
KINDS = {"LSTM": keras.layers.LSTM, "GRU": keras.layers.GRU, "RNN": keras.layers.SimpleRNN}
VARIANTS = {
    "LSTM": [{}, {"use_bias": False}, {"activation": "relu", "recurrent_activation": "hard_sigmoid"}],
    "GRU": [{}, {"reset_after": False}, {"use_bias": False}, {"activation": "elu", "recurrent_activation": "softsign"}],
    "RNN": [{}, {"activation": "leaky_relu"}, {"activation": "softplus", "use_bias": False}, {"activation": "linear"}],
}
CASES = [(kind, settings) for kind, variants in VARIANTS.items() for settings in variants]


def randomised(model):
    for weight in model.weights:
        weight.assign(RNG.normal(0, 0.4, weight.shape))
    return model


def close(value, truth):
    assert_close(value, truth, ulps=32, scale=max(1, np.abs(truth).max()), dtype="float32")


@pytest.mark.parametrize(("kind", "settings"), CASES)
@pytest.mark.parametrize("backwards", [False, True])
def test_one_node_computes_the_layer_whatever_its_settings(exported, kind, settings, backwards):
    layer = KINDS[kind](5, return_sequences=True, return_state=True, go_backwards=backwards, **settings)
    inputs = keras.Input((None, 3))
    model = randomised(keras.Model(inputs, list(layer(inputs))))
    outputs, states = recurrent(layer, X)
    results, operators = exported(model, "onnx", X)
    assert operators[kind] == 1
    assert "Loop" not in operators
    for values in results:
        for value, truth in zip(values, [outputs, *states], strict=True):
            close(value, truth)


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("zero", [False, True])
@pytest.mark.parametrize("whole", [False, True])
def test_masked_steps_anywhere_change_nothing_and_repeat_what_precedes(exported, kind, backwards, zero, whole):
    layer = KINDS[kind](5, return_sequences=whole, return_state=True, go_backwards=backwards)
    layer.zero_output_for_mask = zero
    count = 2 if kind == "LSTM" else 1
    inputs, mask = keras.Input((None, 3)), keras.Input((None,), dtype="bool")
    initial = [keras.Input((5,)) for _ in range(count)]
    made = layer(inputs, initial_state=initial, mask=mask)
    model = randomised(keras.Model([inputs, mask, *initial], list(made)))
    given = [RNG.normal(size=(4, 5)).astype("float32") for _ in initial]
    outputs, states = recurrent(layer, X, given, MASK)
    results, operators = exported(model, "onnx", X, MASK, *given)
    assert operators[kind] == 1
    for values in results:
        for value, truth in zip(values, [outputs if whole else outputs[:, -1], *states], strict=True):
            close(value, truth)


def test_the_halves_of_a_bidirectional_layer_need_no_reversal(exported):
    inputs = keras.Input((None, 3))
    model = randomised(
        keras.Model(inputs, keras.layers.Bidirectional(keras.layers.LSTM(5, return_sequences=True))(inputs))
    )
    results, operators = exported(model, "onnx", X)
    assert "Slice" not in operators
    forward, backward = model.layers[1].forward_layer, model.layers[1].backward_layer
    truth = np.concatenate([recurrent(forward, X)[0], recurrent(backward, X)[0][:, ::-1]], -1)
    for (value,) in results:
        close(value, truth)


@pytest.mark.parametrize("settings", [{"activation": "gelu"}, {"dtype": "float64"}])
def test_a_layer_that_no_node_computes_stays_a_loop(exported, settings):
    inputs = keras.Input((None, 3), dtype=settings.get("dtype"))
    model = keras.Model(inputs, keras.layers.LSTM(5, **settings)(inputs))
    x = X.astype(settings.get("dtype", "float32"))
    results, operators = exported(model, "onnx", x)
    assert "Loop" in operators
    for (value,) in results:
        close(value, np.asarray(model(x)).astype("float64"))

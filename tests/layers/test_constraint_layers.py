"""The layers that keep promises by construction: their mathematics, what they refuse, and what they are saved as."""

import numpy as np
import pytest

import kexport_layers
from kexport.testing.closeness import assert_close

RNG = np.random.default_rng(3)
X = RNG.uniform(-3, 3, (5, 4)).astype("float32")
SIGNAL = np.cumsum(RNG.normal(size=(2, 40)), axis=1).astype("float32")
PLANE = ([[1, 1, 0, 0], [0, 1, -1, 2]], [1, 2])


def make(kind, *args, **kwargs):
    return getattr(kexport_layers, kind)(*args, **kwargs)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def limited(signal, step):
    out = signal.copy()
    for n in range(1, signal.shape[1]):
        out[:, n] = out[:, n - 1] + np.clip(signal[:, n] - out[:, n - 1], -step, step)
    return out


def projected(x):
    matrix, right = (np.asarray(each, float) for each in PLANE)
    return x - (x @ matrix.T - right) @ np.linalg.pinv(matrix).T


CASES = {
    "bounded, sigmoid": (("BoundedOutput", -1, 3), X, lambda x: -1 + 4 * sigmoid(x)),
    "bounded, tanh": (("BoundedOutput", 0, 10, "tanh"), X, lambda x: 5 + 5 * np.tanh(x)),
    "bounded, clip": (("BoundedOutput", -1, 0.5, "clip"), X, lambda x: np.clip(x, -1, 0.5)),
    "simplex": (("SimplexOutput", 3.0), X, lambda x: 3 * np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)),
    "plane": (("LinearConstraint", *PLANE), X, projected),
    "mean of a set": (("PermutationPooling",), X[:, :, None], lambda x: x.mean(axis=1)),
    "sum of a set": (("PermutationPooling", "sum"), X[:, :, None], lambda x: x.sum(axis=1)),
    "least of a set": (("PermutationPooling", "min", -1), X[:, :, None], lambda x: x.min(axis=-1)),
    "rate": (("RateLimiter", 0.3), SIGNAL, lambda x: limited(x, 0.3)),
    "rate of channels": (("RateLimiter", 0.3), np.stack([SIGNAL, -2 * SIGNAL], -1), lambda x: limited(x, 0.3)),
}
CONFIGURED = [
    ("BoundedOutput", {"low": -1.0, "high": 2.0, "method": "tanh"}),
    ("SimplexOutput", {"total": 2.0}),
    ("LinearConstraint", {"A": PLANE[0], "b": PLANE[1]}),
    ("LinearConstraint", {"low": -1.0, "high": [1.0, 1.0, 1.0, 0.5]}),
    ("LinearConstraint", {"a": [1.0, 2.0, 0.0, 0.0], "at_most": 0.5}),
    ("PermutationPooling", {"mode": "max", "axis": -1}),
    ("RateLimiter", {"step": 0.25}),
    ("MonotonicDense", {"units": 3, "direction": [1, 0, -1, 1], "activation": "tanh"}),
    ("LipschitzDense", {"units": 3, "bound": 0.5, "activation": "relu", "use_bias": False}),
    ("ConvexDense", {"units": 3, "activation": "relu", "kernel_regularizer": "l2"}),
    ("ScaledOutput", {"scale": 2.0}),
]


@pytest.mark.parametrize("name", CASES)
def test_a_layer_computes_its_mathematics(name):
    (kind, *arguments), x, expected = CASES[name]
    layer = make(kind, *arguments)
    y = np.asarray(layer(x))
    assert y.dtype == "float32"
    assert y.shape == tuple(layer.compute_output_shape(x.shape))
    assert_close(y, expected(x.astype(float)))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize(("kind", "settings"), [case for case in CONFIGURED if case[0] != "ScaledOutput"])
def test_a_layer_computes_in_float32_under_a_mixed_policy(kind, settings, policy):
    plain, mixed = make(kind, **settings), make(kind, **settings, dtype=policy)
    expected, found = np.asarray(plain(X)), mixed(X)
    mixed.set_weights(plain.get_weights())
    found = np.asarray(mixed(X))
    assert found.dtype == "float32"
    np.testing.assert_array_equal(found, np.asarray(plain(X)) if plain.weights else expected)


@pytest.mark.parametrize(("kind", "settings"), CONFIGURED)
def test_a_layer_is_saved_and_loaded_as_it_is(kind, settings, tmp_path):
    import keras

    x = keras.Input(X.shape[1:], name="x")
    model = keras.Model(x, make(kind, **settings, name="y")(x))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    config = again.get_layer("y").get_config()
    assert {name: config[name] for name in settings if name != "kernel_regularizer"} == {
        name: value for name, value in settings.items() if name != "kernel_regularizer"
    }
    np.testing.assert_array_equal(np.asarray(again(X)), np.asarray(model(X)))
    assert again.get_layer("y").contracts() == model.get_layer("y").contracts()


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("BoundedOutput", {"low": 1, "high": 0}, "in order"),
        ("BoundedOutput", {"low": 0, "high": float("inf")}, "finite"),
        ("BoundedOutput", {"method": "relu"}, "method must be one of"),
        ("SimplexOutput", {"total": 0}, "positive"),
        ("LinearConstraint", {}, "one kind of constraint"),
        ("LinearConstraint", {"A": [[1.0]], "b": [1.0], "low": 0}, "one kind of constraint"),
        ("LinearConstraint", {"A": [[1, 1], [1, 1]], "b": [1, 2]}, "contradict"),
        ("LinearConstraint", {"A": [[1, 1]], "b": [1, 2]}, "one number per row"),
        ("LinearConstraint", {"low": 1, "high": [2, 0]}, "empty"),
        ("LinearConstraint", {"a": [0, 0], "at_most": 1}, "other than 0"),
        ("PermutationPooling", {"mode": "median"}, "mode must be one of"),
        ("PermutationPooling", {"axis": 0}, "axis"),
        ("RateLimiter", {"step": -1}, "positive"),
        ("MonotonicDense", {"units": 2, "activation": "gelu"}, "nondecreasing"),
        ("MonotonicDense", {"units": 2, "direction": 2}, "direction must be"),
        ("MonotonicDense", {"units": 0}, "at least 1"),
        ("LipschitzDense", {"units": 2, "bound": 0}, "bound"),
        ("LipschitzDense", {"units": 2, "activation": "exponential"}, "slope of at most 1"),
        ("ConvexDense", {"units": 2, "activation": "tanh"}, "convex"),
        ("HighFrequencyEnergy", {"cutoff": 0.6}, "below half the sample rate"),
        ("HighFrequencyEnergy", {"cutoff": -1}, "positive"),
    ],
)
def test_what_makes_no_sense_is_refused(kind, settings, message):
    with pytest.raises(ValueError, match=message):
        make(kind, **settings)


@pytest.mark.parametrize(
    ("kind", "settings", "shape"),
    [
        ("SimplexOutput", {}, (3,)),
        ("LinearConstraint", {"A": [[1, 1]], "b": [1]}, (1, 3)),
        ("PermutationPooling", {"axis": 2}, (1, 3)),
        ("RateLimiter", {"step": 1}, (1, 3, 2, 2)),
        ("MonotonicDense", {"units": 1, "direction": [1, 1]}, (1, 3)),
    ],
)
def test_an_input_that_does_not_fit_is_refused(kind, settings, shape):
    with pytest.raises(ValueError, match="input"):
        make(kind, **settings)(np.zeros(shape, "float32"))


def test_the_sum_of_a_reference_is_kept():
    reference = RNG.normal(size=(5, 7)).astype("float32")
    for kept in (reference, X[::-1].copy()):
        y = np.asarray(make("ConservedSum")(X, kept)).astype(float)
        assert_close(y.sum(axis=1), kept.astype(float).sum(axis=1), scale=7 * 3, dtype="float32")
        assert_close(np.ptp(y - X, axis=1), 0, scale=2, dtype="float32")
    with pytest.raises(ValueError, match="agree in all axes"):
        make("ConservedSum")(X, reference[:3])


def test_the_nearest_point_of_a_half_space_and_of_a_box_is_found():
    y = np.asarray(make("LinearConstraint", a=[1, 2, 0, 0], at_most=0.5)(X)).astype(float)
    level = X[:, 0] + 2.0 * X[:, 1]
    assert_close(np.maximum(y[:, 0] + 2 * y[:, 1], 0.5), 0.5, scale=9, dtype="float32")
    np.testing.assert_array_equal(y[level <= 0.5], X[level <= 0.5])
    box = np.asarray(make("LinearConstraint", low=-1, high=[1, 1, 1, 0.5])(X))
    np.testing.assert_array_equal(box, np.clip(X, -1, [1, 1, 1, 0.5]))


def fitted(layer, target, epochs=30):
    """Losses before and after a short training on 256 samples."""
    import keras

    keras.utils.set_random_seed(1)
    inputs = np.random.default_rng(0).uniform(-1, 1, (256, 4)).astype("float32")
    x = keras.Input((4,))
    model = keras.Model(x, layer(x))
    model.compile(keras.optimizers.Adam(0.03), "mse")
    before = model.evaluate(inputs, target(inputs), verbose=0)
    model.fit(inputs, target(inputs), epochs=epochs, verbose=0)
    return before, model.evaluate(inputs, target(inputs), verbose=0)


def test_training_a_monotone_layer_keeps_its_signs():
    layer = make("MonotonicDense", 1, [1, -1, 0, 1])
    before, after = fitted(layer, lambda x: x @ np.array([[1], [1], [-2], [0.5]], "float32"))
    assert after < before / 2
    kernel = np.asarray(layer.kernel)[:, 0]
    assert kernel[0] > 0.8
    assert -0.2 < kernel[1] <= 0, "the target rises there, and the promise forbids it"
    assert kernel[2] < -1.5


def test_training_a_lipschitz_layer_keeps_its_norm():
    layer = make("LipschitzDense", 3, 0.5)
    before, after = fitted(layer, lambda x: 4 * x[:, :3])
    assert after < before
    norm = np.linalg.norm(np.asarray(layer.kernel).astype(float), 2)
    assert 0.49 < norm <= 0.5


def test_training_convex_layers_keeps_them_convex():
    import keras

    stack = keras.Sequential([make("ConvexDense", 8), make("ConvexDense", 1, "linear", hidden=True)])
    before, after = fitted(stack, lambda x: np.square(x).sum(axis=1, keepdims=True))
    assert after < before / 2
    a, b = RNG.uniform(-1, 1, (2, 500, 4)).astype("float32")
    middle, ends = np.asarray(stack((a + b) / 2)), (np.asarray(stack(a)) + np.asarray(stack(b))) / 2
    assert_close(np.maximum(middle, ends), ends)
    with pytest.raises(ValueError, match="hidden=True"):
        make("ConvexDense", 2)(X, X)


def test_energy_above_the_cutoff_is_what_the_spectrum_has_there():
    tensor = RNG.normal(size=(33, 3)).astype("float32")
    spectrum = np.abs(np.fft.fft(tensor, axis=0)) ** 2 / len(tensor)
    beyond = np.abs(np.fft.fftfreq(33, 1 / 100)) > 20
    found = make("HighFrequencyEnergy", 20, 100, strength=0.5)(tensor)
    assert_close(np.asarray(found), 0.5 * spectrum[beyond].sum(), ulps=64)
    with pytest.raises(ValueError, match="fixed size"):
        make("HighFrequencyEnergy", 0.2, axis=2)(tensor)


def test_the_regulariser_smooths_a_kernel_and_is_saved_and_leaves_nothing_behind(tmp_path):
    import keras

    import kexport

    def model(regularizer):
        x = keras.Input((None, 1), name="x")
        conv = keras.layers.Conv1D(1, 17, padding="same", kernel_regularizer=regularizer, name="y")
        return keras.Model(x, conv(x), name="smooth")

    regularized = model(make("HighFrequencyEnergy", 0.1, strength=1.0))
    regularized.compile(keras.optimizers.Adam(0.05), "mse")
    noise = RNG.normal(size=(8, 64, 1)).astype("float32")
    before = float(regularized.losses[0])
    regularized.fit(noise, 0 * noise, epochs=20, verbose=0)
    assert float(regularized.losses[0]) < before / 10
    regularized.save(tmp_path / "smooth.keras")
    again = keras.models.load_model(tmp_path / "smooth.keras").get_layer("y").kernel_regularizer
    assert again.get_config() == regularized.get_layer("y").kernel_regularizer.get_config()
    plain = model(None)
    plain.set_weights(regularized.get_weights())
    operators = []
    for name, each in (("with", regularized), ("without", plain)):
        bundle = kexport.build(each, tmp_path / name, formats=["onnx", "tflite"])
        operators.append([artifact.details["ops"] for artifact in bundle.manifest.artifacts])
    assert operators[0] == operators[1]

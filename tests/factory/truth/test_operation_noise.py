"""Noise inside a model: what moves, by how much, and what must not."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

import kexport
from kexport.bundle.domain import Ints, Uniform
from kexport.bundle.signature import TensorSpec
from kexport.factory.inputs.domains import resolve_domains
from kexport.factory.trace.program import trace
from kexport.factory.truth import establish
from kexport.factory.truth.goldens import TWIN
from kexport.factory.truth.operation_noise import in_every_operation, in_exact_sums, in_the_order_of_sums
from kexport.factory.truth.oracle import Oracle
from kexport.parity.output_comparison import OutputComparison
from kexport.parity.tolerance import own_limits

VALUES = np.random.default_rng(0).uniform(0.1, 0.9, 200).astype("float32")


def noisy(function, *arrays, draw=0):
    with in_every_operation(np.random.default_rng(0), draw):
        return function(*map(tf.constant, arrays)).numpy()


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_results_move_by_one_unit_up_or_down_or_not(dtype):
    values = VALUES.astype(dtype)
    still = tf.exp(tf.constant(values)).numpy()
    steps = (noisy(tf.exp, values) - still) / np.spacing(still)
    assert set(np.round(steps).astype(int)) == {-1, 0, 1}
    np.testing.assert_array_equal(tf.exp(tf.constant(values)).numpy(), still, "and after the block nothing does")


def test_a_logistic_function_moves_by_a_unit_of_one_as_its_kernels_err():
    """At -7, onnxruntime's kernel is off by 7e-5 of the result."""
    x = np.linspace(-12, -4, 200, dtype="float32")
    still = tf.sigmoid(tf.constant(x)).numpy()
    apart = np.abs(noisy(tf.sigmoid, x) - still)
    assert (apart > 0.5 * np.minimum(np.finfo("float32").eps, still / 256)).all()
    assert (apart <= np.minimum(np.finfo("float32").eps, still / 256)).all()


@pytest.mark.parametrize("function", [tf.nn.elu, tf.nn.selu])
def test_an_exponential_less_one_moves_by_a_unit_of_one(function):
    """TensorFlow's own kernel is off by as much, which a normalisation of small numbers shows."""
    x = np.linspace(-1e-2, -1e-3, 200, dtype="float32")
    steps = (noisy(function, x) - function(tf.constant(x)).numpy()) / np.finfo("float32").eps
    assert set(np.round(steps).astype(int)) == {-1, 1}
    whole = np.arange(1, 20, dtype="float32")
    np.testing.assert_array_equal(noisy(tf.nn.elu, whole), whole, "what passes as it is stays")


def test_one_number_and_the_parts_of_complex_ones_move_too():
    drawn = {float(noisy(lambda x: tf.reduce_mean(x), VALUES, draw=draw)) for draw in range(3)}
    assert len(drawn) > 1
    pair = VALUES.astype("complex64")
    assert (noisy(lambda x: x * (0.3 + 0.7j), pair) != (tf.constant(pair) * (0.3 + 0.7j)).numpy()).any()


def test_what_is_computed_without_rounding_stays():
    whole = np.arange(-20, 20, dtype="float32")
    for function in (tf.round, lambda x: x + 3.0, lambda x: x * 0.5, lambda x: tf.nn.relu(x), tf.reduce_sum):
        np.testing.assert_array_equal(noisy(function, whole), function(tf.constant(whole)).numpy())


@pytest.mark.parametrize("function", [lambda x: x * -1.5, lambda x: x + 0.0, lambda x: x - x])
def test_zeros_of_sums_and_products_have_either_sign(function):
    signs = np.signbit(noisy(function, np.zeros(100, "float32")))
    assert signs.any()
    assert not signs.all()


def test_what_looks_at_the_sign_of_a_zero_is_no_fault_where_rewriting_changes_it(tmp_path):
    """TensorFlow's optimiser drops the sum with 0, which makes +0 of -0."""
    x = keras.Input((4, 2), name="x")
    angle = ops.arctan2(x, layers.Rescaling(-1.5)(x))
    bundle = kexport.build(keras.Model(x, layers.GlobalAveragePooling1D(name="y")(angle)), tmp_path / "b")
    assert bundle.passed, [check for check in bundle.report.checks if not check.passed]


def test_a_sum_over_nothing_is_the_tensor_itself_which_is_left_alone():
    variable = tf.Variable(VALUES)
    with in_every_operation(np.random.default_rng(0), 0):
        tf.reduce_sum(variable, axis=[])
        tf.add_n([variable.value()])
    np.testing.assert_array_equal(variable.numpy(), VALUES)


def test_sums_of_equal_numbers_err_as_a_running_sum_does():
    equal = np.full((2, 3000), 0.7, "float32")
    with in_the_order_of_sums():
        total = tf.reduce_sum(tf.constant(equal), axis=1).numpy()
        exp = tf.exp(tf.constant(VALUES)).numpy()
    np.testing.assert_array_equal(total, np.cumsum(equal, axis=1, dtype="float32")[:, -1])
    assert (total != tf.reduce_sum(tf.constant(equal), axis=1).numpy()).all()
    np.testing.assert_array_equal(exp, tf.exp(tf.constant(VALUES)).numpy(), "nothing else moves")


def test_sums_of_tensors_err_as_a_running_sum_does():
    equal = np.full((2, 1), 0.7, "float32")
    with in_the_order_of_sums():
        total = tf.add_n([tf.constant(equal)] * 3000).numpy()
        pairs = tf.add_n([tf.complex(equal, equal)] * 3).numpy()
    np.testing.assert_array_equal(total, np.cumsum(np.full((2, 3000), 0.7, "float32"), axis=1, dtype="float32")[:, -1:])
    np.testing.assert_array_equal(pairs, tf.add_n([tf.complex(equal, equal)] * 3).numpy())


def test_a_mean_of_ones_errs_as_one_does_that_is_divided_before_it_is_added():
    ones = np.ones((1, 675), "float32")
    with in_the_order_of_sums():
        mean = tf.reduce_mean(tf.constant(ones), axis=1).numpy()
    divided = np.cumsum(ones / np.float32(675), axis=1, dtype="float32")[:, -1]
    assert abs(mean - 1) >= abs(divided - 1) > 0


def squares_of(function):
    """How far a mean of squares is, relative to it, from what TensorFlow computes: as it is, and in another order."""
    x = tf.constant([[0.5, 0.501], [0.7, 0.702]])
    still = function(x).numpy()
    with in_the_order_of_sums():
        return np.abs(function(x).numpy() / still - 1).max()


def centred(x):
    difference = x - tf.reduce_mean(x, axis=1, keepdims=True)
    return tf.reduce_mean(difference * difference, axis=1)


def test_the_variance_of_nearly_equal_numbers_errs_as_one_that_is_computed_in_one_pass():
    assert squares_of(lambda x: tf.nn.moments(x, [1])[1]) > 0.01
    assert squares_of(centred) > 0.01


def test_other_means_of_squares_are_no_variances():
    assert squares_of(lambda x: tf.reduce_mean(tf.math.squared_difference(x, x + 0.01), axis=1)) < 1e-5
    assert squares_of(lambda x: tf.reduce_mean(tf.square(x), axis=1)) < 1e-5


def test_a_fused_normalisation_of_nearly_equal_numbers_is_no_fault():
    x = keras.Input((2,), name="x")
    model = keras.Model(x, layers.LayerNormalization(epsilon=1e-5, name="y")(ops.sigmoid(1e-2 * x)))
    found = goldens_of(model)
    comparison = OutputComparison(TensorSpec("y", "float32", (None, 2)), found.limits[0])
    for golden in found.goldens:
        rows = 1 / (1 + np.exp(-np.float32(1e-2) * golden.inputs["x"]))
        mean = rows.mean(axis=1, keepdims=True)
        variance = (rows * rows).mean(axis=1, keepdims=True) - mean * mean
        comparison.add(
            golden.label,
            golden.truth["y"],
            (rows - mean) / np.sqrt(variance + np.float32(1e-5)),
            None,
            golden.ulp_sensitivity.get("y"),
        )
    assert comparison.outcome().passed


def test_exact_sums_are_rounded_once_whatever_the_order_of_tensorflow_is():
    equal = np.full((9801, 2), 0.822073, "float32")
    with in_exact_sums():
        mean = tf.reduce_mean(tf.constant(equal), axis=0).numpy()
    np.testing.assert_array_equal(mean, equal[0])
    assert (mean != tf.reduce_mean(tf.constant(equal), axis=0).numpy()).all()


def test_functions_are_run_eagerly_inside_and_as_before_after():
    assert (noisy(tf.function(tf.exp), VALUES) != tf.exp(VALUES).numpy()).any()
    assert not tf.config.functions_run_eagerly()


def goldens_of(model, **domains):
    program = trace(model)
    found = resolve_domains(program, domains).domains
    return establish(program, Oracle(program, found), found)


NORMALISATIONS = [
    layers.GroupNormalization(1),
    layers.GroupNormalization(-1, axis=-1, scale=False),
    layers.GroupNormalization(2, epsilon=1e-5),
    layers.LayerNormalization(axis=(1, 2)),
]


@pytest.mark.parametrize("layer", NORMALISATIONS)
def test_the_variance_of_equal_numbers_is_known_to_be_noise(layer):
    x = keras.Input((6, 6, 4), name="x")
    found = goldens_of(keras.Model(x, layer(x)))
    (limit,) = found.limits
    (constant,) = [golden for golden in found.goldens if golden.label == "one value in each sample"]
    (truth,) = constant.truth.values()
    (moves,) = list(constant.ulp_sensitivity.values()) or [np.zeros(truth.shape)]
    values = constant.inputs["x"]
    mean = np.cumsum(values.reshape(len(values), -1), axis=1)[:, -1] / np.float32(values[0].size)
    apart = np.abs(mean.astype("float64") - values[:, 0, 0, 0]).max() / np.sqrt(layer.epsilon)
    assert max(limit.absolute, own_limits(limit, moves).max()) > apart
    random = [golden.ulp_sensitivity for golden in found.goldens if golden.label.startswith("random")]
    assert all((moved <= limit.absolute).all() for each in random for moved in each.values())


def test_a_twin_is_not_doubted_because_keras_sums_equal_numbers_in_the_worst_order():
    x = keras.Input((99, 99, 2), name="x")
    found = goldens_of(keras.Model(x, layers.GlobalAveragePooling2D()(x)), x=Uniform(0.2, 0.822073))
    assert [limit.source for limit in found.limits] == [TWIN]


def test_a_model_of_whole_numbers_has_noise_inside():
    x = keras.Input((16,), dtype="int16", name="x")
    unlike = ops.log(ops.abs(ops.sum(ops.sin(ops.cast(x, "float32") / 7.0), axis=1)) + 1e-6)
    found = goldens_of(keras.Model(x, unlike), x=Ints(-200, 200))
    assert any(golden.ulp_sensitivity for golden in found.goldens)


def test_a_model_that_refuses_what_noise_makes_is_nudged_all_the_same():
    class Checked(layers.Layer):
        def call(self, x):
            tf.debugging.assert_equal(x * 0.1 + 0.3, x * 0.1 + 0.3, "noise")
            return ops.tanh(x)

    x = keras.Input((50,), name="x")
    assert goldens_of(keras.Model(x, Checked()(x))).goldens


def normalised(groups=2, epsilon=1e-3, gamma=1.0, beta=0.0):
    keras.utils.set_random_seed(0)
    x = keras.Input((6, 6, 4), name="x")
    layer = layers.GroupNormalization(groups, epsilon=epsilon, name="y")
    model = keras.Model(x, layer(x))
    layer.gamma.assign(np.array([0.7, 1.2, 0.9, 1.1]) * gamma)
    layer.beta.assign([0.03 + beta, -0.02, 0.01, 0.05])
    return model


def outcome_of(found, model):
    comparison = OutputComparison(TensorSpec("y", "float32", (None, 6, 6, 4)), found.limits[0])
    for golden in found.goldens:
        value = model(golden.inputs["x"], training=False).numpy()
        comparison.add(golden.label, golden.truth["y"], value, None, golden.ulp_sensitivity.get("y"))
    return comparison.outcome()


def test_faults_of_a_normalisation_are_found_beside_its_noise():
    found = goldens_of(normalised())
    assert outcome_of(found, normalised()).passed
    for fault in ({"epsilon": 1e-2}, {"epsilon": 1.1e-3}, {"groups": 4}, {"gamma": 1.01}, {"beta": 1e-3}):
        result = outcome_of(found, normalised(**fault))
        assert result.ran
        assert not result.passed, fault


@pytest.mark.parametrize(
    ("transform", "axes"), [(tf.signal.rfft, 1), (tf.signal.rfft2d, 2), (tf.signal.fft, 1), (tf.signal.ifft2d, 2)]
)
def test_frequencies_that_are_not_there_have_the_error_of_the_transform(transform, axes):
    """All but the mean of a constant are 0 by chance: their angle is no number that a runtime must have."""
    x = np.ones((2, 8, 16), "float32" if transform in (tf.signal.rfft, tf.signal.rfft2d) else "complex64")
    still, moved = transform(tf.constant(x)).numpy(), noisy(transform, x)
    real = np.zeros(still.shape, bool)
    if x.dtype == "float32":
        real[:, :: 4 if axes == 2 else 1, ::8] = True
    np.testing.assert_array_equal(moved.imag[real].view("int32"), 0, "the mean and the highest frequency are real")
    assert (moved.real != 0).all()
    assert set(np.sign(moved.imag[~real])) == {-1, 1}


def test_the_inverse_of_a_real_transform_moves_too():
    x = np.ones((2, 9), "complex64")
    still = tf.signal.irfft(tf.constant(x)).numpy()
    assert (noisy(tf.signal.irfft, x) != 0).all()
    assert not still[:, 1:].any()

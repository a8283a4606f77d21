"""A loaded function run operation by operation: the same results, in double precision too, and with noise inside."""

import numpy as np
import pytest
import tensorflow as tf

from kexport.factory.inputs.domains import resolve_domains
from kexport.factory.sources import find
from kexport.factory.trace.program import trace
from kexport.factory.truth import TWIN, establish
from kexport.factory.truth.eager_graph import EagerFunction
from kexport.factory.truth.operation_noise import in_every_operation
from kexport.factory.truth.oracle import Oracle
from kexport.testing.closeness import assert_close

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 5, 4, 3)).astype("float32")
KERNEL, MEAN, OFFSET = RNG.normal(size=(3, 3, 3, 2)), RNG.normal(size=2), RNG.normal(size=2)
SCALE, VARIANCE = RNG.uniform(0.5, 2, 2), RNG.uniform(0.5, 2, 2)


class Normalised(tf.Module):
    """A convolution with a fused batch normalisation, a loop and a branch, in functions of functions."""

    def __init__(self):
        super().__init__()
        self.kernel = tf.Variable(KERNEL, dtype=tf.float32)

    @tf.function
    def halved(self, x):
        for _ in tf.range(3):
            x = x / 2.0
        return x

    @tf.function(input_signature=[tf.TensorSpec([None, 5, 4, 3], name="x")])
    def __call__(self, x):
        y = tf.nn.conv2d(x, self.kernel, 1, "SAME")
        statistics = (tf.constant(each, tf.float32) for each in (SCALE, OFFSET, MEAN, VARIANCE))
        y, _, _ = tf.compat.v1.nn.fused_batch_norm(y, *statistics, epsilon=0.125, is_training=False)
        y = tf.cond(tf.reduce_sum(y) > 1e9, lambda: y, lambda: tf.exp(y))
        return {"y": tf.concat([self.halved(y), tf.zeros_like(y[..., :1])], -1)}


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served") / "model"
    module = Normalised()
    tf.saved_model.save(module, str(folder), signatures=module.__call__)
    return trace(find(folder, {}).load())


def as_stored(values):
    """What single precision has made of numbers."""
    return values.astype("float32").astype("float64")


def in_numpy(x):
    y = tf.nn.conv2d(tf.constant(x, tf.float64), as_stored(KERNEL), 1, "SAME").numpy()
    scale, offset, mean, variance = map(as_stored, (SCALE, OFFSET, MEAN, VARIANCE))
    y = np.exp((y - mean) / np.sqrt(variance + 0.125) * scale + offset) / 8
    return np.concatenate([y, np.zeros_like(y[..., :1])], -1)


def test_it_gives_what_the_function_gives(program):
    (one,), (other,) = EagerFunction(program.core)([X]), program.interface.run(program.model, [X])
    assert one.dtype == other.dtype == np.float32
    assert_close(one, other)


def test_in_double_precision_a_fused_normalisation_is_its_formula(program):
    (y,) = EagerFunction(program.core, double=True)([X.astype("float64")])
    assert y.dtype == np.float64
    np.testing.assert_array_max_ulp(y, in_numpy(X), 64)


def test_what_has_no_kernel_in_double_is_single(tmp_path):
    factor = tf.Variable(2.0)  # to be read is no arithmetic
    function = tf.function(lambda x: tf.quantization.fake_quant_with_min_max_args(x) * factor).get_concrete_function(
        tf.TensorSpec([None, 5, 4, 3])
    )
    run = EagerFunction(function, double=True)
    (y,) = run([X.astype("float64")])
    assert y.dtype == np.float64
    assert run.single == ["FakeQuantWithMinMaxArgs"]
    np.testing.assert_array_equal(y, function(X).numpy().astype("float64"))


def test_gradients_that_were_taken_change_nothing(program):
    before = EagerFunction(program.core)
    with tf.GradientTape() as tape:
        x = tf.constant(X)
        tape.watch(x)
        total = tf.reduce_sum(program.core(x)[0])
    assert tape.gradient(total, x) is not None
    for run in (before, EagerFunction(program.core)):
        np.testing.assert_array_equal(run([X])[0], before([X])[0])


def test_operations_inside_have_noise(program):
    run = EagerFunction(program.core)
    still = run([X])[0]
    with in_every_operation(np.random.default_rng(0), 0):
        moved = run([X])[0]
    assert (moved != still).any()
    np.testing.assert_array_max_ulp(moved, still, 64)


def test_a_served_convolution_with_its_normalisation_has_a_truth_in_float64(program):
    truth = establish(program, Oracle(program), resolve_domains(program, {}).domains)
    assert truth.limits[0].source == TWIN
    assert truth.limits[0].floor > 0


def test_a_loop_that_is_too_long_is_not_followed():
    """The function itself runs it in a moment."""

    @tf.function(input_signature=[tf.TensorSpec([None, 2], name="x")])
    def many(x):
        for _ in tf.range(100_000):
            x = x + 1.0
        return x

    with pytest.raises(ValueError, match="a loop is long"):
        EagerFunction(many.get_concrete_function())([np.zeros((1, 2), "float32")])

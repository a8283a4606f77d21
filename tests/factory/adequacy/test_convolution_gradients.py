"""Convolutions that skip elements have the right gradients, in double precision; the others keep their own."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import ops

from kexport.factory.adequacy.convolution_gradients import safe_convolutions
from kexport.testing.closeness import assert_close

RANDOM = np.random.default_rng(0)


def gradients(size, steps, padding="SAME"):
    """The gradients of input and kernel of a traced convolution, and the operations that compute them."""
    x = tf.constant(RANDOM.normal(size=(2, 6, 6, 2)).astype("float32"))
    kernel = tf.constant(RANDOM.normal(size=(size, size, 2, 3)).astype("float32"))

    @tf.function
    def both(x, kernel):
        y = tf.nn.conv2d(x, kernel, steps, padding)
        return tf.gradients(y, [x, kernel], tf.sin(y))

    with safe_convolutions():
        traced = both.get_concrete_function(x, kernel)
    kinds = {(op.type, op.inputs[-1].dtype.name) for op in traced.graph.get_operations() if "Backprop" in op.type}
    return x.numpy(), kernel.numpy(), [each.numpy() for each in traced(x, kernel)], kinds


@pytest.mark.parametrize("steps", [(2, 2), (1, 2)])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_gradients_of_a_kernel_smaller_than_its_stride_are_computed_in_double(steps, padding):
    x, kernel, (of_input, of_kernel), kinds = gradients(1, steps, padding)
    assert kinds == {("Conv2DBackpropInput", "float64"), ("Conv2DBackpropFilter", "float64")}
    picked, weights = x[:, :: steps[0], :: steps[1]].astype("float64"), kernel[0, 0].astype("float64")
    upstream = np.sin(picked @ weights)
    assert_close(of_kernel[0, 0], np.einsum("bhwc,bhwd->cd", picked, upstream), ulps=16)
    wanted = np.zeros(x.shape)
    wanted[:, :: steps[0], :: steps[1]] = upstream @ weights.T
    assert_close(of_input, wanted, ulps=16)


def test_other_convolutions_keep_their_precision_and_the_registry_is_as_before():
    before = ops.gradient_registry.lookup("Conv2D")
    *_, kinds = gradients(3, (2, 2))
    assert {dtype for _, dtype in kinds} == {"float32"}
    assert ops.gradient_registry.lookup("Conv2D") is before


def test_a_transposed_convolution_of_a_kernel_smaller_than_its_stride_has_the_right_gradients_in_double():
    x, kernel = (RANDOM.normal(size=size).astype("float32") for size in ((2, 3, 4, 3), (1, 1, 2, 3)))
    upstream = RANDOM.normal(size=(2, 6, 8, 2)).astype("float32")

    @tf.function
    def both(x, kernel):
        y = tf.nn.conv2d_transpose(x, kernel, (2, 6, 8, 2), 2)
        return tf.gradients(y, [x, kernel], upstream)

    with safe_convolutions():
        traced = both.get_concrete_function(x, kernel)
    kinds = {op.inputs[-1].dtype.name for op in traced.graph.get_operations() if op.type == "Conv2DBackpropFilter"}
    assert kinds == {"float64"}
    of_input, of_kernel = (each.numpy() for each in traced(x, kernel))
    picked = upstream[:, ::2, ::2].astype("float64")
    assert_close(of_input, picked @ kernel[0, 0].astype("float64"), ulps=16)
    assert_close(of_kernel[0, 0], np.einsum("bhwc,bhwd->cd", picked, x.astype("float64")), ulps=16)

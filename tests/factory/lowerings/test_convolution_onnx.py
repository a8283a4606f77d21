from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(2, 7, 8, 9, 4)).astype("float32")


def check(results, truth, kernel):
    for (value,) in results:
        assert_close(value, truth, ulps=32, scale=np.abs(kernel).sum())


def in_float64(x, kernel, padding, rate=1, step=1):
    """TensorFlow's own, channels last, where it is sure of itself: one group, one dilation, double precision."""
    return tf.nn.convolution(x.astype("float64"), kernel.astype("float64"), step, padding, dilations=rate).numpy()


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("space", [1, 2, 3])
def test_a_dilated_convolution_is_one_node(converted, space, padding, dynamic):
    index: Any = (slice(None), *[slice(None)] * space, *[0] * (3 - space))
    x = X[index]
    kernel = RANDOM.normal(size=(*[3] * space, 4, 5)).astype("float32")

    def convolution(value):
        value = tf.ensure_shape(value, (None, *[None] * space, 4))
        return tf.nn.convolution(value, kernel, 1, padding, dilations=2)

    results, operators = converted(convolution, "onnx", x, dynamic=dynamic)
    assert not operators & {"DepthToSpace", "SpaceToDepth", "Mod"}
    check(results, in_float64(x, kernel, padding, rate=2), kernel)


def test_groups_of_a_3d_convolution_are_convolutions(converted):
    kernel = RANDOM.normal(size=(3, 2, 2, 2, 6)).astype("float32")
    results, _ = converted(lambda value: tf.nn.convolution(value, kernel, 1, "SAME"), "onnx", X)
    parts = zip(np.split(X, 2, -1), np.split(kernel, 2, -1), strict=True)
    check(results, np.concatenate([in_float64(x, k, "SAME") for x, k in parts], -1), kernel)


@pytest.mark.parametrize("length", [7, 8, 9])
def test_a_stride_may_be_longer_than_the_kernel_where_sizes_are_dynamic(converted, length):
    x, kernel = X[:, 0, :, :, :].repeat(2, 1)[:, :length], RANDOM.normal(size=(2, 2, 4, 5)).astype("float32")

    def convolution(value):
        return tf.nn.convolution(tf.ensure_shape(value, (None, None, None, 4)), kernel, 3, "SAME")

    results, _ = converted(convolution, "onnx", x, dynamic=True)
    check(results, in_float64(x, kernel, "SAME", step=3), kernel)


def test_a_grouped_convolution_of_dynamic_sizes_keeps_its_groups_when_its_stride_is_longer_than_its_kernel(converted):
    x, kernel = X[:, 0], RANDOM.normal(size=(1, 1, 2, 6)).astype("float32")

    def convolution(value):
        return tf.nn.conv2d(tf.ensure_shape(value, (None, None, None, 4)), kernel, 2, "SAME")

    results, _ = converted(convolution, "onnx", x, dynamic=True)
    parts = zip(np.split(x, 2, -1), np.split(kernel, 2, -1), strict=True)
    check(results, np.concatenate([in_float64(part, k, "SAME", step=2) for part, k in parts], -1), kernel)

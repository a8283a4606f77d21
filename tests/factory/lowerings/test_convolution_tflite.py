import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

RANDOM = np.random.default_rng(0)
SIZES = (7, 8, 9)


def direct(x, kernel, rate, padding):
    """The definition in float64: a sum over taps; channels last, groups as the kernel has them."""
    x, kernel = x.astype("float64"), kernel.astype("float64")
    space, groups = kernel.ndim - 2, x.shape[-1] // kernel.shape[-2]
    total = [(taps - 1) * rate for taps in kernel.shape[:space]]
    if padding == "SAME":
        x = np.pad(x, [(0, 0), *((t // 2, t - t // 2) for t in total), (0, 0)])
    sizes = [size - t for size, t in zip(x.shape[1:-1], total, strict=True)]
    y = np.zeros((x.shape[0], *sizes, kernel.shape[-1]))
    for tap in np.ndindex(*kernel.shape[:space]):
        places = [slice(t * rate, t * rate + size) for t, size in zip(tap, sizes, strict=True)]
        index = (slice(None), *places)
        part = x[index]
        ins, outs = np.split(part, groups, -1), np.split(kernel[tap], groups, -1)
        y += np.concatenate([one @ other for one, other in zip(ins, outs, strict=True)], -1)
    return y


def case(space, groups=1):
    x = RANDOM.normal(size=(2, *SIZES[:space], 4)).astype("float32")
    kernel = RANDOM.normal(size=(*(3, 2, 2)[:space], 4 // groups, 6)).astype("float32")
    return x, kernel


def scale(x, kernel):
    return np.abs(x).max() * np.abs(kernel).sum()


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("space", [1, 2, 3])
def test_a_dilated_convolution_needs_no_moves_of_space_into_the_batch(converted, space, padding, dynamic):
    x, kernel = case(space)

    def convolution(value):
        value = tf.ensure_shape(value, (None, *[None] * space, 4))
        return tf.nn.convolution(value, kernel, 1, padding, dilations=2)

    results, operators = converted(convolution, "tflite", x, dynamic=dynamic)
    assert not any("SPACE" in name for name in operators)
    for (value,) in results:
        assert_close(value, direct(x, kernel, 2, padding), ulps=8, scale=scale(x, kernel))


@pytest.mark.parametrize("space", [1, 2, 3])
def test_channels_may_come_first(converted, space):
    x, kernel = case(space)
    layout = {1: "NCW", 2: "NCHW", 3: "NCDHW"}[space]
    first = np.moveaxis(x, -1, 1)
    results, _ = converted(lambda value: tf.nn.convolution(value, kernel, 1, "SAME", layout), "tflite", first)
    for (value,) in results:
        assert_close(np.moveaxis(value, 1, -1), direct(x, kernel, 1, "SAME"), ulps=8, scale=scale(x, kernel))


def test_groups_of_a_3d_convolution_are_convolutions(converted):
    x, kernel = case(3, groups=2)
    results, _ = converted(lambda value: tf.nn.convolution(value, kernel, 1, "SAME"), "tflite", x)
    for (value,) in results:
        assert_close(value, direct(x, kernel, 1, "SAME"), ulps=8, scale=scale(x, kernel))

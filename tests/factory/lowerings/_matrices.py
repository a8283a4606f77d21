"""Well-conditioned matrices, and what the tests of algorithms on matrices share."""

import numpy as np

from kexport.testing.closeness import assert_close

RANDOM = np.random.default_rng(0)
FORMATS = ("onnx", "tflite")
SIZES = (1, 2, 5, 9)  # below and above the number of steps that are written out


def plain(*shape):
    return RANDOM.normal(size=shape).astype("float32")


def regular(size, *batch):
    """Far from singular, but not without the exchange of rows."""
    order = RANDOM.permutation(size)
    return (plain(*batch, size, size) / 2 + 2 * np.sqrt(size) * np.eye(size)[order]).astype("float32")


def positive(size, *batch):
    root = plain(*batch, size, size)
    return (root @ root.swapaxes(-1, -2) / size + 2 * np.eye(size)).astype("float32")


def check(results, *truths):
    """Each output in each runtime is within float32's noise of the truth."""
    for values in results:
        for value, truth in zip(values, truths, strict=True):
            assert_close(value, truth, ulps=64, scale=1 + np.abs(truth))


def double(*arrays):
    return [array.astype("float64") for array in arrays]

"""Transposes of more axes than TFLite's kernel knows."""

import numpy as np
import pytest
import tensorflow as tf

from kexport.errors import ExportError

X = np.random.default_rng(0).normal(size=(2, 3, 2, 2, 3, 2, 2, 2, 2)).astype("float32")
ORDERS = {
    "reversed": (8, 7, 6, 5, 4, 3, 2, 1, 0),
    "the batch stays": (0, 8, 2, 6, 4, 1, 7, 3, 5),
    "merged to three": (0, 5, 6, 7, 8, 1, 2, 3, 4),
    "merged to six": (2, 3, 0, 1, 8, 7, 5, 6, 4),
}


@pytest.mark.parametrize("order", ORDERS)
def test_every_element_is_where_it_belongs(converted, order):
    outputs, _ = converted(lambda x: tf.transpose(x, ORDERS[order]), "tflite", X)
    assert outputs
    for (value,) in outputs:
        np.testing.assert_array_equal(value, X.transpose(ORDERS[order]))


@pytest.mark.parametrize("order", [(6, 4, 2, 0, 1, 3, 5), (0, 6, 5, 4, 3, 2, 1)])
@pytest.mark.parametrize("ones", [(), (2, 4), (0,), (1, 3, 5, 6)])
def test_axes_of_size_1_cost_nothing(converted, order, ones):
    x = X[:, :, 0, 0][tuple(slice(1) if axis in ones else slice(None) for axis in range(7))]
    outputs, _ = converted(lambda x: tf.transpose(x, order), "tflite", x)
    for (value,) in outputs:
        np.testing.assert_array_equal(value, x.transpose(order))


@pytest.mark.parametrize("order", ["reversed", "the batch stays"])
def test_several_axes_without_a_fixed_size_are_refused_with_a_way_out(converted, order):
    with pytest.raises(ExportError, match=r"more than 6 axes(.|\n)*Transpose(.|\n)*fixed sizes"):
        converted(lambda x: tf.transpose(x, ORDERS[order]), "tflite", X, dynamic=True)


def test_an_order_that_is_computed_is_refused(converted):
    def turned(x, first):
        return tf.transpose(x, tf.concat([first, tf.range(8)], 0))

    with pytest.raises(ExportError, match="in an order that the model computes"):
        converted(turned, "tflite", X, np.array([8], "int32"))

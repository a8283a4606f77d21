import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

X = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
SPARSE = tf.SparseTensor([[0, 1], [2, 0], [2, 3]], [1.0, -2.0, 3.0], [3, 4])


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize(("first", "second"), [(False, True), (True, False)])
def test_product_with_a_constant_is_that_of_tensorflow(converted, format_name, first, second):
    def product(x):
        return tf.sparse.sparse_dense_matmul(SPARSE, tf.reshape(x, (3, 4)), first, second)

    results, _ = converted(product, format_name, X.reshape(1, 3, 4))
    for (value,) in results:
        assert_close(value, np.asarray(product(X)))

import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

X = np.arange(3 * 6 * 5, dtype="float32").reshape(3, 6, 5)
SLICES = {
    "a computed begin, and all that is left": (lambda n: [0, n, 1], lambda n: [-1, -1, 2], np.s_[:, 3:, 1:3]),
    "a computed size": (lambda n: [1, 0, 2], lambda n: [-1, n, -1], np.s_[1:, :3, 2:]),
    "both computed": (lambda n: [0, n - 2, n], lambda n: [n, n - 1, -1], np.s_[:3, 1:3, 3:]),
    "a size that is -1 when it is computed": (lambda n: [0, n, 0], lambda n: [-1, n - 4, n], np.s_[:, 3:, :3]),
}


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("name", SLICES)
def test_slices_end_where_tensorflow_ends_them(converted, name, dynamic):
    begin, size, wanted = SLICES[name]

    def sliced(x):
        n = tf.shape(x)[1] // 2 + tf.cast(x[0, 0, 0] * 0, tf.int32)
        return tf.slice(x, begin(n), size(n))

    results, _ = converted(sliced, "onnx", X, dynamic=dynamic)
    for (value,) in results:
        np.testing.assert_array_equal(value, X[wanted])


def test_a_dilated_convolution_may_stand_behind_a_slice(converted):
    kernel = np.random.default_rng(0).normal(size=(3, 5, 2)).astype("float32")

    def convolved(x):
        part = tf.slice(x, [0, 1, 0], [tf.shape(x)[0], 5, 5])
        return tf.nn.convolution(part, kernel, padding="SAME", dilations=2)

    results, _ = converted(convolved, "onnx", X)
    for (value,) in results:
        assert_close(value, convolved(X).numpy())

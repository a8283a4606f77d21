import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(-9, 1, (2, 5, 6, 7, 3)).astype("float32")  # below zero: borders of zeros would show


def direct(x, window, steps, padding, reduce):
    """The definition in float64: of each window, what lies inside."""
    shape, begins = [], []
    for size, taps, step in zip(x.shape[1:-1], window, steps, strict=True):
        count = -(-size // step) if padding == "SAME" else (size - taps) // step + 1
        shape.append(count)
        begins.append(max((count - 1) * step + taps - size, 0) // 2 if padding == "SAME" else 0)
    y = np.empty((x.shape[0], *shape, x.shape[-1]))
    for place in np.ndindex(*shape):
        starts = [p * step - begin for p, step, begin in zip(place, steps, begins, strict=True)]
        index = (slice(None), *(slice(max(s, 0), s + taps) for s, taps in zip(starts, window, strict=True)))
        part, target = x[index], (slice(None), *place)
        y[target] = reduce(part.astype("float64"), axis=(1, 2, 3))
    return y


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("window", "steps"), [((2, 2, 2), (2, 2, 2)), ((3, 2, 1), (1, 2, 3)), ((1, 3, 3), (1, 1, 2))])
def test_the_maximum_and_the_mean_of_boxes(converted, window, steps, padding, dynamic):
    def pools(value):
        value = tf.ensure_shape(value, (None, None, None, None, 3))
        return [pool(value, window, steps, padding) for pool in (tf.nn.max_pool3d, tf.nn.avg_pool3d)]

    results, _ = converted(pools, "tflite", X, dynamic=dynamic)
    for maximum, mean in results:
        np.testing.assert_array_equal(maximum, direct(X, window, steps, padding, np.max).astype("float32"))
        assert_close(mean, direct(X, window, steps, padding, np.mean), ulps=16, scale=9)

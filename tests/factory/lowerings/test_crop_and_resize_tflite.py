import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(0, 1, (2, 7, 9, 3)).astype("float32")
BOXES = np.array(
    [[0, 0, 1, 1], [0.1, 0.2, 0.7, 0.9], [0.9, 0.8, 0.2, 0.1], [-0.3, 0.2, 0.5, 1.4], [0.5, 0.5, 0.5, 0.5]], "float32"
)
PLACES = np.array([0, 1, 1, 0, 1], "int32")


@pytest.mark.parametrize("method", ["bilinear", "nearest"])
@pytest.mark.parametrize("size", [(4, 5), (1, 3), (12, 1)])
@pytest.mark.parametrize("dynamic", [False, True])
def test_crops_are_those_of_tensorflow(converted, method, size, dynamic):
    def crop(images, boxes, places):
        boxes, images = tf.ensure_shape(boxes, (None, 4)), tf.ensure_shape(images, (None, None, None, 3))
        return tf.image.crop_and_resize(images, boxes, places, size, method, extrapolation_value=-0.5)

    results, _ = converted(crop, "tflite", IMAGES, BOXES, PLACES, dynamic=dynamic)
    for (value,) in results:
        assert_close(value, np.asarray(crop(IMAGES, BOXES, PLACES)), ulps=16)

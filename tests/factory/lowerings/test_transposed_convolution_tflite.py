import numpy as np
import tensorflow as tf

from kexport.factory.lowerings.transposed_convolution_tflite import _with_holes


def test_a_dilated_kernel_has_its_taps_apart_and_zeros_between():
    kernel = np.arange(1, 2 * 3 * 4 * 5 + 1, dtype="float32").reshape(2, 3, 4, 5)
    spread = _with_holes(tf.constant(kernel), [2, 3]).numpy()
    assert spread.shape == (3, 7, 4, 5)
    assert (spread[::2, ::3] == kernel).all()
    assert np.count_nonzero(spread) == kernel.size

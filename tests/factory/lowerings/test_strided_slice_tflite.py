import numpy as np
import pytest
import tensorflow as tf

X = np.arange(3 * 4 * 5 * 6, dtype="float32").reshape(3, 4, 5, 6)

SLICES = {
    "ellipsis first": lambda x: x[..., 1:3],
    "ellipsis in the middle": lambda x: x[:, ..., 1:, ::-2],
    "ellipsis of no axis": lambda x: x[:, 1, ..., :, 2:-1],
    "index after an ellipsis": lambda x: x[..., -1, :],
    "new axes": lambda x: x[:, None, 1:3, ..., None],
    "new axis and index": lambda x: x[..., None, -1],
    "new axis alone": lambda x: x[..., None],
    "bound from a shape": lambda x: x[..., : tf.shape(x)[0], None, :],
    "start from a shape": lambda x: x[..., tf.shape(x)[0] :],
}


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("name", SLICES)
def test_slices_pick_what_numpy_picks(converted, name, dynamic):
    truth = SLICES[name](tf.constant(X)).numpy()
    for (value,) in converted(SLICES[name], "tflite", X, dynamic=dynamic)[0]:
        np.testing.assert_array_equal(value, truth)

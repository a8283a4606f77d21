import keras
import numpy as np
import pytest

KEYS = [5, 3, 1, -7, 2**31 - 1, 40]


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_every_key_has_its_value_and_no_other_has(exported, format_name, count):
    layer = keras.layers.IntegerLookup(vocabulary=KEYS[:count])
    inputs = keras.Input((14,), dtype="int64", name="x")
    x = np.array([[*KEYS, 0, 2, 4, -8, -6, 41, 2**31 - 2, -(2**31)]])
    truth = [KEYS[:count].index(key) + 1 if key in KEYS[:count] else 0 for key in x[0]]
    results, _ = exported(keras.Model(inputs, layer(inputs)), format_name, x)
    for (value,) in results:
        np.testing.assert_array_equal(value, [truth])


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
def test_a_table_of_many_keys(exported, format_name):
    keys = np.random.default_rng(0).permutation(np.arange(0, 3000, 3))
    inputs = keras.Input((3000,), dtype="int64", name="x")
    x = np.arange(3000)[None]
    results, _ = exported(keras.Model(inputs, keras.layers.IntegerLookup(vocabulary=keys)(inputs)), format_name, x)
    truth = np.zeros(3000, int)
    truth[keys] = np.arange(len(keys)) + 1
    for (value,) in results:
        np.testing.assert_array_equal(value, [truth])


def test_other_keys_fall_into_buckets_and_the_mask_to_zero(exported):
    layer = keras.layers.IntegerLookup(vocabulary=[10, 20], num_oov_indices=3, mask_token=-1)
    inputs = keras.Input((6,), dtype="int64", name="x")
    x = np.array([[10, 20, -1, 7, -5, 0]])
    results, _ = exported(keras.Model(inputs, layer(inputs)), "onnx", x)
    for (value,) in results:
        np.testing.assert_array_equal(value, np.asarray(layer(x)))

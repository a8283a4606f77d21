import numpy as np
import pytest
import tensorflow as tf

X = np.random.default_rng(0).normal(size=(6, 2)).astype("float32")
NUMBERS = {
    "all": [2, 0, 1, 0, 2, 2],
    "some are empty": [2, 2, 0, 2, 0, 2],
    "one": [1] * 6,
    "two axes": [[0, 1, 1], [2, 0, 1]],
}


@pytest.mark.parametrize("numbers", NUMBERS.values(), ids=NUMBERS)
@pytest.mark.parametrize("dtype", ["float32", "int32", "int64"])
@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
def test_each_part_has_the_rows_of_its_number(converted, format_name, numbers, dtype):
    numbers = np.array(numbers, "int32")
    rows = (X * 9).astype(dtype).reshape(*numbers.shape, 2)
    results, _ = converted(lambda x, n: tf.dynamic_partition(x, n, 3), format_name, rows, numbers)
    for values in results:
        for part, value in enumerate(values):
            np.testing.assert_array_equal(value, rows[numbers == part])

import keras
import numpy as np
import pytest
import tensorflow as tf

WORDS = np.array([["Hello", "World 1"], ["ÄÖü ß", ""], ["aBc", "X-y_Z"]])


@pytest.mark.parametrize("function", [tf.strings.lower, tf.strings.upper])
def test_letters_of_ascii_change_and_no_others(exported, function):
    x = keras.Input((2,), dtype="string", name="x")
    model = keras.Model(x, keras.layers.Lambda(function, output_shape=(2,), dtype="string")(x))
    results, _ = exported(model, "onnx", WORDS)
    for (value,) in results:
        texts = [text.decode() if isinstance(text, bytes) else str(text) for text in np.ravel(value)]
        assert texts == [text.decode() for text in function(WORDS).numpy().ravel()]

import keras
import numpy as np
import pytest
import tensorflow as tf

from kexport.errors import ExportError

TEXT = np.array([["dog", "cat", "", "no", "Zürich"]])


def _model(layer, dtype="string", size=5):
    inputs = keras.Input((size,), dtype=dtype, name="x")
    return keras.Model(inputs, layer(inputs))


@pytest.mark.parametrize("mask", [None, ""])
def test_every_word_has_its_number_and_others_share_one(exported, mask):
    layer = keras.layers.StringLookup(vocabulary=["cat", "dog", "Zürich"], mask_token=mask)
    results, operators = exported(_model(layer), "onnx", TEXT)
    assert "ai.onnx.ml:LabelEncoder" in operators
    for (value,) in results:
        np.testing.assert_array_equal(value, np.asarray(layer(TEXT)))


class Prices(keras.layers.Layer):
    def __init__(self, dtype):
        super().__init__()
        entries = tf.lookup.KeyValueTensorInitializer(["cat", "dog"], tf.constant([1.5, 1e-20], dtype))
        self.table = tf.lookup.StaticHashTable(entries, -0.25)

    def call(self, x):
        return self.table.lookup(x)

    def compute_output_spec(self, x):
        return keras.KerasTensor(x.shape, self.table.value_dtype.name)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_word_has_its_number_with_a_point(exported, dtype):
    layer = Prices(dtype)
    for (value,) in exported(_model(layer), "onnx", TEXT)[0]:
        np.testing.assert_array_equal(value, np.asarray(layer(tf.constant(TEXT))))


def test_a_number_has_its_word(exported):
    layer = keras.layers.StringLookup(vocabulary=["cat", "dog"], invert=True)
    results, _ = exported(_model(layer, "int64", 4), "onnx", np.array([[1, 2, 0, 9]]))
    for (value,) in results:
        words = [text.decode() if isinstance(text, bytes) else text for text in value[0]]
        assert words == ["cat", "dog", "[UNK]", "[UNK]"]


def test_what_needs_a_hash_or_tflite_is_refused_with_the_layer(exported):
    for format_name, buckets, way in (("onnx", 2, "num_oov_indices=1"), ("tflite", 1, "preprocessing")):
        layer = keras.layers.StringLookup(vocabulary=["cat"], num_oov_indices=buckets, name="words")
        with pytest.raises(ExportError, match=rf"(?s)layer 'words'.*{way}"):
            exported(_model(layer), format_name, TEXT)


def test_work_on_text_is_refused_with_the_layer(exported):
    layer = keras.layers.TextVectorization(vocabulary=["cat", "dog"], name="text")
    inputs = keras.Input((1,), dtype="string", name="x")
    with pytest.raises(ExportError, match=r"(?s)layer 'text'.*preprocessing"):
        exported(keras.Model(inputs, layer(inputs)), "onnx", TEXT[:, :1])

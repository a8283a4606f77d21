import keras
import numpy as np
import pytest

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


def test_a_number_has_its_word(exported):
    layer = keras.layers.StringLookup(vocabulary=["cat", "dog"], invert=True)
    results, _ = exported(_model(layer, "int64", 4), "onnx", np.array([[1, 2, 0, 9]]))
    for (value,) in results:
        words = [text.decode() if isinstance(text, bytes) else text for text in value[0]]
        assert words == ["cat", "dog", "[UNK]", "[UNK]"]


def test_what_needs_a_hash_or_tflite_is_refused_with_the_layer(exported):
    for format_name, buckets in (("onnx", 2), ("tflite", 1)):
        layer = keras.layers.StringLookup(vocabulary=["cat"], num_oov_indices=buckets, name="words")
        with pytest.raises(ExportError, match=r"(?s)layer 'words'.*preprocessing"):
            exported(_model(layer), format_name, TEXT)


def test_work_on_text_is_refused_with_the_layer(exported):
    layer = keras.layers.TextVectorization(vocabulary=["cat", "dog"], name="text")
    inputs = keras.Input((1,), dtype="string", name="x")
    with pytest.raises(ExportError, match=r"(?s)layer 'text'.*preprocessing"):
        exported(keras.Model(inputs, layer(inputs)), "onnx", TEXT[:, :1])

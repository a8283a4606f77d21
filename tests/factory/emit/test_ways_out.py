"""What a refusal's hint says is done to the refused model, literally: then the format has it."""

import importlib

import keras
import pytest
import tensorflow as tf
from keras import layers, ops

import kexport
from kexport.errors import ExportError
from kexport.factory import formats
from kexport.factory.emit import handover
from kexport.factory.trace.program import trace


class Own(layers.Layer):
    """A layer whose call is any function."""

    def __init__(self, function, **options):
        super().__init__(name="mine", **options)
        self.function = function

    def call(self, x):
        return self.function(x)


class Sampling(layers.Layer):
    """Noise, whether or not only in training."""

    def __init__(self, always):
        super().__init__(name="noise")
        self.always, self.seed = always, keras.random.SeedGenerator(3)

    def call(self, x, training=False):
        return x + keras.random.normal(ops.shape(x), seed=self.seed) if self.always or training else x


def of(layer, *shape, dtype="float32"):
    x = keras.Input(shape, dtype=dtype, name="x")
    return keras.Model(x, layer(x))


def in_reverse(x):
    order = tf.argsort(tf.shape(x)[0] * 0 + tf.constant([0, 2, 1]))
    return tf.ensure_shape(tf.transpose(x, order), (None, None, 3))


def pool(dtype):
    return layers.MaxPooling2D(dtype=dtype, name="pool")


def words(buckets=1):
    return layers.StringLookup(vocabulary=["a"], num_oov_indices=buckets, name="words")


def counted(x):
    return layers.TextVectorization(vocabulary=["a", "b"], output_mode="count", name="text")(x)


class Sensitivity(layers.Layer):
    """The gradient of a recurrent layer by its input."""

    def __init__(self, unroll):
        super().__init__(name="mine")
        self.memory = layers.SimpleRNN(3, unroll=unroll, name="memory")

    def build(self, shape):
        self.memory.build(shape)

    def compute_output_shape(self, shape):
        return shape

    def call(self, x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(self.memory(x))
        return tape.gradient(y, x)


def beginnings(x):
    """Its first number, its first two, and so on, one behind the other."""
    made = tf.TensorArray(tf.float32, 4, infer_shape=False, element_shape=tf.TensorShape([None, None]))
    step = lambda index, made: (index + 1, made.write(index, tf.transpose(x)[: index + 1]))  # noqa: E731
    _, made = tf.while_loop(lambda index, _: index < 4, step, (0, made))
    return tf.ensure_shape(tf.transpose(made.concat()), (None, 10))


def masked_beginnings(x):
    made = tf.TensorArray(tf.float32, 4, element_shape=tf.TensorShape([None, 4]))
    step = lambda index, made: (index + 1, made.write(index, x * tf.sequence_mask(index + 1, 4, x.dtype)))  # noqa: E731
    _, made = tf.while_loop(lambda index, _: index < 4, step, (0, made))
    return tf.transpose(made.stack(), [1, 0, 2])


def windows(x):
    """Parts of one size, which nothing but the constants of the loop tells."""
    made = tf.TensorArray(tf.float32, 3, infer_shape=False, element_shape=tf.TensorShape([None, None]))
    step = lambda index, made: (index + 1, made.write(index, x[:, index : index + 2]))  # noqa: E731
    _, made = tf.while_loop(lambda index, _: index < 3, step, (0, made))
    return tf.ensure_shape(tf.transpose(made.stack(), [1, 0, 2]), (None, 3, 2))


def squared_by_eigenvalues(x):
    return ops.eigh(x @ ops.transpose(x, (0, 2, 1)))[0]


#: The format that refuses a model, that model, all that the hint says to change, and the model so changed.
CASES = {
    "a layer of double numbers": (
        "tflite", lambda: of(layers.LSTM(2, dtype="float64", name="memory"), 3, 2, dtype="float64"),
        "for float32: give layer 'memory' (LSTM) dtype='float32', if that is exact enough",
        lambda: of(layers.LSTM(2, dtype="float32", name="memory"), 3, 2, dtype="float64"),
    ),
    "a layer of integers": (
        "tflite", lambda: of(pool("int32"), 4, 4, 1, dtype="int32"),
        "give layer 'pool' (MaxPooling2D) dtype='float32', and keras.ops.cast(x, 'float32') what it gets",
        lambda: of(lambda x: pool("float32")(ops.cast(x, "float32")), 4, 4, 1, dtype="int32"),
    ),
    "an operation on double numbers": (
        "tflite", lambda: of(lambda x: ops.cast(ops.take(x, [1, 0], 1), "float32"), 4, dtype="float64"),
        "tflite has GatherV2 for float32: keras.ops.cast(x, 'float32') before it",
        lambda: of(lambda x: ops.take(ops.cast(x, "float32"), [1, 0], 1), 4, dtype="float64"),
    ),
    "numbers of buckets": (
        "onnx", lambda: of(words(3), 2, dtype="string"), "num_oov_indices=1, which needs no hash",
        lambda: of(words(1), 2, dtype="string"),
    ),
    "counts of words": (
        "onnx", lambda: of(counted, dtype="string"), "turn text into numbers in preprocessing, and pass",
        lambda: of(layers.CategoryEncoding(3, output_mode="count"), 5, dtype="int64"),
    ),
    "an order that is computed": (
        "onnx", lambda: of(Own(in_reverse), 3, None), "give the order of the axes as numbers",
        lambda: of(layers.Permute((2, 1)), 3, None),
    ),
    "eigenvalues": (
        "onnx", lambda: of(Own(lambda x: tf.math.real(tf.linalg.eig(x)[0])), 3, 3), "keras.ops.eigh, where",
        lambda: of(Own(squared_by_eigenvalues), 3, 3),
    ),
    "a gradient of a loop": (
        "tflite", lambda: of(Sensitivity(unroll=False), 5, 2), "of a recurrent layer, unroll=True",
        lambda: of(Sensitivity(unroll=True), 5, 2),
    ),
    "a gradient of a loop in ONNX": (
        "onnx", lambda: of(Sensitivity(unroll=False), 5, 2), "unroll the loop: of a recurrent layer, unroll=True",
        lambda: of(Sensitivity(unroll=True), 5, 2),
    ),
    "items of several sizes": (
        "tflite", lambda: of(Own(beginnings), 4), "one known shape (element_shape=...), and stack() them",
        lambda: of(Own(masked_beginnings), 4),
    ),
    "items of several sizes in ONNX": (
        "onnx", lambda: of(Own(beginnings), 4), "one known shape (element_shape=...), and stack() them",
        lambda: of(Own(masked_beginnings), 4),
    ),
    "noise": ("onnx", lambda: of(Sampling(True), 4), "draw no random numbers when", lambda: of(Sampling(False), 4)),
    "noise in TFLite": (
        "tflite", lambda: of(Sampling(True), 4), "or take them as an input of the model",
        lambda: of(lambda x: x[:, :4] + x[:, 4:], 8),
    ),
}  # fmt: skip


def written(model, format_name, folder):
    folder.mkdir()
    handover.write(trace(model), folder / "handover")
    module, _, name = formats.get(format_name).converter.partition(":")
    return list(getattr(importlib.import_module(module), name)(str(folder / "handover"), str(folder / "file"), {}))


@pytest.mark.parametrize("case", CASES)
def test_the_hint_is_all_that_has_to_be_done(case, tmp_path):
    format_name, refused, words, changed = CASES[case]
    with pytest.raises(ExportError) as caught:
        written(refused(), format_name, tmp_path / "refused")
    assert words in str(caught.value.facts["hint"])
    assert written(changed(), format_name, tmp_path / "changed")


UNRELATED = {
    "a layer of double numbers": "lstm_cell",
    "counts of words": "dense tensors",
    "an order that is computed": "sizes",
    "eigenvalues": "imaginary",
    "noise": "--formats",  # none passes
    "noise in TFLite": "--formats",
}


@pytest.mark.parametrize("case", UNRELATED)
def test_a_hint_tells_nothing_that_does_not_help(case, tmp_path):
    format_name, refused, *_ = CASES[case]
    with pytest.raises(ExportError) as caught:
        written(refused(), format_name, tmp_path / "refused")
    assert UNRELATED[case] not in str(caught.value.facts["hint"])


def test_items_of_one_size_are_written_though_only_constants_tell_it(tmp_path):
    assert written(of(Own(windows), 4), "tflite", tmp_path / "file")


def test_a_signature_whose_output_has_no_known_axes_is_saved_again_as_the_hint_says(tmp_path):
    def total(x, asserted):
        y = tf.sparse.reduce_sum(tf.sparse.from_dense(x), 1)
        return {"y": tf.ensure_shape(y, (None,)) if asserted else y}

    for asserted in (False, True):
        module = tf.Module()
        spec = tf.TensorSpec((None, 4), tf.float32, "x")
        module.total = tf.function(lambda x, asserted=asserted: total(x, asserted), input_signature=[spec])
        tf.saved_model.save(module, tmp_path / f"saved_{asserted}", {"serving_default": module.total})
    with pytest.raises(ExportError, match=r"unknown number of axes(?s:.*)tf\.ensure_shape"):
        kexport.build(tmp_path / "saved_False", out=tmp_path / "refused", formats=["saved_model"])
    kexport.build(tmp_path / "saved_True", out=tmp_path / "built", formats=["saved_model"])

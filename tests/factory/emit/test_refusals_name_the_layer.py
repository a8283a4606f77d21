"""A refusal names the layer, the user's line, and a way out that fits: never one for another kind of layer."""

import functools
import importlib
import re
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from tensorflow.compiler.tf2xla.ops.gen_xla_ops import xla_call_module

from kexport.errors import ExportError
from kexport.factory import formats
from kexport.factory.emit import emission, handover
from kexport.factory.emit.ways_out import WAYS
from kexport.factory.formats import onnx, tflite
from kexport.factory.lowerings import Lowering
from kexport.factory.trace.program import trace

LEAVING_OUT = r"leave (onnx|tflite) out \(--formats keras,saved_model\), or write what can be written \(--keep-going\)"
ADVICE = {
    "recurrent": "initial_state",
    "strings": "turn text into numbers",
    "random": "draw no random numbers",
    "python": "Python code stays",
    "dtype": " for float32| for int32",
    "sizes": "of known sizes",
    "own": r"write \S*test_refusals_name_the_layer.py:",
    "lists": "TensorArray",
    "complex": "two real tensors",
    "sparse": "use dense tensors",
    "hash": "hash in preprocessing",
    "state": "let the model take the state as an input",
    "data": "read data before the model",
    "codec": "decode and encode outside",
    "vectors": "use the values alone",
    "clock": "take the time as an input",
    "eigenvalues": "keras.ops.eigh",
    "least squares": "of the normal equations",
    "tridiagonal": "of the whole matrix",
    "float8": 'quantize\\("int8"\\)',
    "jax": "where it calls JAX",
}


class Own(layers.Layer):
    """A layer whose call is any function."""

    def __init__(self, function, output=None, **options):
        super().__init__(**options)
        self.function, self.output_spec = function, output

    def call(self, x):
        return self.function(x)

    def compute_output_spec(self, x):
        shape, dtype = self.output_spec or (x.shape, x.dtype)
        return keras.KerasTensor(shape, dtype)


def own(function, shape=(4,), dtype="float32", output=None):
    x = keras.Input(shape, dtype=dtype, name="x")
    before = x if dtype == "string" else layers.Identity(name="before", dtype=dtype)(x)
    return keras.Model(x, Own(function, output, name="mine", dtype=None if dtype == "string" else dtype)(before))


def of_layer(layer, *shape, dtype="float32", batch=None):
    x = keras.Input(batch_shape=(batch, *shape), dtype=dtype, name="x")
    return keras.Model(x, layer(x))


class Sampling(layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.seed = keras.random.SeedGenerator(3)

    def call(self, x):
        return x + keras.random.normal(ops.shape(x), seed=self.seed)


class Counter(layers.Layer):
    def build(self, shape):
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="calls")

    def call(self, x):
        self.calls.assign_add(1.0)
        return x + self.calls


class Outer(layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.inside = layers.Dense(4, name="inside")
        self.deep = Own(tf.math.special.spence, name="deep")

    def call(self, x):
        return self.deep(self.inside(x))


class Around(layers.Layer):
    """A layer of the user's own around one of Keras that is refused: the line is the Keras layer's, not the user's."""

    def __init__(self, **options):
        super().__init__(**options)
        self.inside = layers.Dense(4, name="inside", dtype="float64")

    def call(self, x):
        return self.inside(x)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__(name="subclassed")
        self.dense = layers.Dense(4, name="dense")

    def call(self, x):
        return tf.math.special.spence(self.dense(x))


class Cell(layers.Layer):
    state_size = output_size = 4

    def call(self, x, states):
        h = tf.math.special.spence(x) + states[0]
        return h, [h]


def subclassed():
    model = Subclassed()
    model(np.zeros((2, 4), "float32"))
    return model


def float8():
    model = of_layer(layers.Dense(4, name="narrow"), 4)
    model.get_layer("narrow").quantize("float8")
    return model


def text_lookup():
    return of_layer(layers.StringLookup(vocabulary=["a"], name="words"), dtype="string")


def list_of_unknown_items(x):
    step = lambda index, made: (index + 1, made)  # noqa: E731
    _, made = tf.while_loop(lambda index, _: index < 3, step, (0, tf.TensorArray(tf.float32, 3)))
    return tf.reshape(made.stack(), [-1, 1])


def noise(x):
    return x + tf.random.stateless_normal(tf.shape(x), [1, 2])


def compiled_by_jax(x):
    shapes = [tf.TensorShape([None, 4])]
    return xla_call_module([x], version=9, module=b"", Sout=shapes, Tout=[x.dtype], platforms=["CPU"])[0]


def complex_loop(x):
    (z,) = tf.while_loop(lambda z: tf.math.real(z[0, 0]) < 3, lambda z: [z * z], [tf.complex(x, x)])
    return tf.math.real(z)


def activation(x):
    return tf.math.special.spence(x)


def in_a_branch(x):
    return tf.cond(tf.reduce_sum(x) > 0, lambda: tf.math.special.spence(x), lambda: x)


def in_a_loop(x):
    return tf.map_fn(lambda row: tf.math.special.spence(row), x)


def in_a_function(x):
    return tf.function(lambda y: tf.math.special.spence(y))(x)


MINE = r"layer 'mine' \(Own\), \S*test_refusals_name_the_layer.py:\d+"
#: A model, the formats that refuse it, the place that they name, and the only advice that they give.
CASES = {
    "sampling": (
        lambda: of_layer(Sampling(name="z"), 4), "onnx tflite", r"layer 'z' \(Sampling\), \S*test_\w+.py:\d+$", "random"
    ),
    "noise": (lambda: own(noise), "onnx tflite", MINE, "random"),
    "counter": (lambda: of_layer(Counter(name="n"), 4), "onnx", r"layer 'n' \(Counter\), \S*test_\w+.py:\d+", "state"),
    "recurrent": (
        lambda: of_layer(layers.LSTM(2, stateful=True, name="memory"), 3, 2, batch=1),
        "onnx",
        r"layer 'memory' \(LSTM\)$",
        "recurrent",
    ),
    "strings": (text_lookup, "tflite", r"layer 'words' \(StringLookup\)$", "strings"),
    "own strings": (
        lambda: own(tf.strings.length, (), "string", ((None,), "int32")), "onnx tflite", MINE, "strings"
    ),
    "hash": (
        lambda: of_layer(layers.Hashing(8, name="h"), dtype="int32"), "onnx tflite", r"layer 'h' \(Hashing\)$", "hash"
    ),
    "python": (
        lambda: own(lambda x: tf.ensure_shape(tf.numpy_function(np.sin, [x], tf.float32), [None, 4])),
        "onnx tflite", MINE, "python",
    ),
    "float64": (
        lambda: of_layer(layers.Dense(2, dtype="float64", name="d"), 4, dtype="float64"),
        "tflite", r"layer 'd' \(Dense\)$", "dtype",
    ),
    "integers": (
        lambda: of_layer(layers.MaxPooling2D(dtype="int32", name="p"), 4, 4, 1, dtype="int32"),
        "tflite", r"layer 'p' \(MaxPooling2D\)$", "dtype",
    ),
    "own integers": (lambda: own(lambda x: tf.truncatediv(x, 3), dtype="int64"), "tflite", MINE, "dtype"),
    "sizes": (
        lambda: of_layer(layers.UpSampling2D(interpolation="bicubic", name="up"), None, None, 3),
        "tflite", r"layer 'up' \(UpSampling2D\)$", "sizes",
    ),
    "sparse": (
        lambda: own(lambda x: tf.sparse.to_dense(tf.sparse.add(tf.sparse.from_dense(x), tf.sparse.from_dense(x)))),
        "onnx tflite", MINE, "sparse",
    ),
    "lists": (lambda: own(list_of_unknown_items, output=((None, 1), "float32")), "onnx tflite", MINE, "lists"),
    "complex": (
        lambda: own(lambda x: tf.complex(x, x), output=((None, 4), "complex64")), "onnx tflite", MINE, "complex"
    ),
    "complex loop": (
        lambda: own(complex_loop), "onnx tflite", MINE, "complex",
    ),
    "vectors": (lambda: own(lambda x: tf.linalg.eigh(x)[1], (4, 4)), "onnx tflite", MINE, "vectors"),
    "data": (
        lambda: own(lambda x: x + tf.cast(tf.data.Dataset.range(3).reduce(np.int64(0), lambda a, b: a + b), x.dtype)),
        "onnx", MINE, "data",
    ),
    "codec": (
        lambda: own(lambda x: tf.image.adjust_jpeg_quality(x[0], 50)[None], (8, 8, 3)), "onnx tflite", MINE, "codec"
    ),
    "clock": (lambda: own(lambda x: x + tf.cast(tf.timestamp(), x.dtype)), "onnx", MINE, "clock"),
    "eigenvalues": (lambda: own(lambda x: tf.math.real(tf.linalg.eig(x)[0]), (3, 3)), "tflite", MINE, "eigenvalues"),
    "float8": (float8, "onnx tflite", r"layer 'narrow' \(Dense\)", "float8"),
    "least squares": (
        lambda: own(lambda x: tf.linalg.lstsq(x, x, fast=False), (3, 3)), "onnx", MINE, "least squares"
    ),
    "tridiagonal": (
        lambda: own(lambda x: tf.linalg.tridiagonal_solve(x, x[:, 0]), (3, 3), output=((None, 3), "float32")),
        "onnx", MINE, "tridiagonal",
    ),
    "jax": (lambda: own(compiled_by_jax), "onnx", MINE, "jax"),
    "operation": (
        lambda: of_layer(lambda x: ops.nextafter(x, x + 1), 4), "onnx tflite", r"operation 'nextafter\w*' \(\w+\)$", ""
    ),
    "activation": (
        lambda: of_layer(layers.Dense(2, activation=activation, name="d"), 4),
        "onnx tflite", r"layer 'd' \(Dense\), \S*test_\w+.py:\d+$", "own",
    ),
    "lambda": (
        lambda: of_layer(layers.Lambda(lambda x: tf.math.special.spence(x), name="f"), 4),
        "onnx tflite", r"layer 'f' \(Lambda\), \S*test_\w+.py:\d+$", "own",
    ),
    "branch": (lambda: own(in_a_branch), "onnx tflite", MINE, "own"),
    "loop": (lambda: own(in_a_loop), "onnx tflite", MINE, "own"),
    "function": (lambda: own(in_a_function), "onnx tflite", MINE, "own"),
    "cell": (
        lambda: of_layer(layers.RNN(Cell(name="cell"), name="rnn"), 3, 4),
        "onnx tflite", r"layer 'rnn/cell' \(Cell\), \S*test_\w+.py:\d+$", "own",
    ),
    "nested": (
        lambda: of_layer(Outer(name="outer"), 4),
        "onnx tflite", r"layer 'outer/deep' \(Own\), \S*test_\w+.py:\d+$", "own",
    ),
    "around": (
        lambda: of_layer(Around(name="around", dtype="float64"), 4, dtype="float64"),
        "tflite", r"layer 'around/inside' \(Dense\)$", "dtype",
    ),
    "subclassed": (subclassed, "onnx tflite", r"model 'subclassed' \(Subclassed\), \S*test_\w+.py:\d+$", "own"),
}  # fmt: skip


def refused(model, format_name, tmp_path):
    handover.write(trace(model), tmp_path / "handover")
    module, _, name = formats.get(format_name).converter.partition(":")
    with pytest.raises(ExportError) as caught:
        list(getattr(importlib.import_module(module), name)(str(tmp_path / "handover"), str(tmp_path / "file"), {}))
    return caught.value


@pytest.mark.parametrize(
    ("case", "format_name"), [(name, each) for name, case in CASES.items() for each in case[1].split()]
)
def test_a_refusal_names_the_place_and_gives_the_advice_that_fits_and_no_other(case, format_name, tmp_path):
    make, _, place, advice = CASES[case]
    error = refused(make(), format_name, tmp_path)
    text = str(error)
    assert error.exit_code == 1
    assert re.search(place, error.facts["got"]), text
    assert "the model itself" not in text
    assert [name for name, words in ADVICE.items() if re.search(words, text)] == [advice] * bool(advice), text
    if case in ("counter", "recurrent"):
        assert "--formats keras,saved_model,tflite" in text
    elif case == "sampling":
        assert "--formats" not in text  # none passes
    else:
        assert re.search(LEAVING_OUT.replace(",saved_model", "" if advice == "python" else ",saved_model"), text), text
    assert str(tmp_path) not in text


ALTERNATIVES = {
    "eigh": lambda: own(lambda x: ops.eigh(x @ ops.transpose(x, (0, 2, 1)))[0], (3, 3), output=((None, 3), "float32")),
    "solve": lambda: own(lambda x: ops.solve(x, x), (3, 3)),
}  # fmt: skip


@pytest.mark.parametrize("name", ALTERNATIVES)
def test_what_is_named_instead_of_an_operation_can_be_written_in_either_format(name, tmp_path):
    assert any(name in way.words for way in WAYS)
    handover.write(trace(ALTERNATIVES[name]()), tmp_path / "handover")
    for convert in (onnx.convert, tflite.convert):
        assert list(convert(str(tmp_path / "handover"), str(tmp_path / "file"), {}))


#: Raises in NumPy, called by no code of the user's.
misused: Any = functools.partial(np.linspace, num=-1)


@pytest.mark.parametrize("at_fault", ["lowering", "converter"])
def test_an_unforeseen_failure_names_the_operation_at_work_and_what_to_do_meanwhile(at_fault, tmp_path, monkeypatch):
    if at_fault == "lowering":
        planted = Lowering("planted", ("onnx",), ("Sin",), misused)
        monkeypatch.setattr(emission, "needed_by", lambda *_: {"Sin": [planted]})
    else:
        monkeypatch.setattr(onnx, "HANDLERS", {"Sin": (np.linspace, [])})
    text = str(refused(own(lambda x: tf.cos(tf.sin(x))), "onnx", tmp_path))
    assert re.search(r"(Value|Type)Error.*, at Sin in " + MINE + "$", text, re.MULTILINE), text
    assert "bug in kexport" in text
    assert re.search(LEAVING_OUT, text)


def test_what_fails_after_every_operation_was_emitted_is_no_single_ones_fault(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx, "_single", lambda model: 1 / 0)
    text = str(refused(own(tf.sin), "onnx", tmp_path))
    assert "ZeroDivisionError" in text
    assert "mine" not in text


@pytest.mark.parametrize(("kind", "others"), [("Igamma", "keras,saved_model"), ("Placeholder", "keras")])
def test_a_table_that_only_the_trace_holds_is_not_sent_to_a_saved_model(kind, others):
    from kexport.factory.emit.culprit import Culprit
    from kexport.factory.emit.refusal import refusal

    assert f"(--formats {others})" in str(refusal("onnx", "it lacks this", [Culprit(kind, "layer 'table'")]))

"""What a model takes and gives, whatever kind of model it is."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from kexport.bundle.signature import TensorSpec
from kexport.errors import ExportError, ModelError
from kexport.factory.trace.program import trace


class Two(keras.Model):
    """Of the second argument Keras records nothing."""

    def __init__(self):
        super().__init__()
        self.one, self.other = layers.Dense(3), layers.Dense(3)

    def call(self, a, b, training=False, mask=None, *, scale=2.0):
        return self.one(a) * self.other(b) * scale


class Tokens(keras.Model):
    def __init__(self):
        super().__init__()
        self.table, self.dense = layers.Embedding(9, 4), layers.Dense(2)

    def call(self, inputs):
        known = ops.not_equal(inputs["ids"], 0)
        embedded = self.table(inputs["ids"]) * ops.cast(known, "float32")[..., None]
        return {"b": self.dense(inputs["x"]), "a": [embedded, (inputs["x"],)]}


class Broken(keras.Model):
    def call(self, x):
        raise KeyError("missing")


def signature(model, samples=None):
    found = trace(model, samples).signature
    return [(s.name, s.dtype, s.shape) for s in found.inputs], [(s.name, s.dtype, s.shape) for s in found.outputs]


def ones(*shape, dtype="float32"):
    return np.ones(shape, dtype)


def test_two_positional_arguments_are_recovered_from_the_shapes_that_the_layers_were_built_with():
    model = Two()
    model(ones(2, 4), ones(2, 6))
    program = trace(model)
    assert [(s.name, s.shape) for s in program.signature.inputs] == [("a", (None, 4)), ("b", (None, 6))]
    assert [s.name for s in program.signature.outputs] == ["output"]
    assert any("input b" in note for note in program.interface.notes)
    arrays = [np.random.default_rng(0).random((3, size), "float32") for size in (4, 6)]
    (value,) = program.interface.run(model, arrays)
    assert np.array_equal(value, model(*arrays).numpy())


class OfTwo(keras.Model):
    """A function of two arguments with some layers."""

    def __init__(self, function, *inner):
        super().__init__()
        self.inner, self.function = inner, function

    def call(self, a, b):
        return self.function(a, b, *self.inner)


def two(function, a, b, *inner):
    model = OfTwo(function, *inner)
    model(ones(*a), ones(*b))
    return model


def tower():
    return keras.Sequential([layers.Conv2D(3, 3), layers.Conv2D(3, 3), layers.GlobalAveragePooling2D()])


def attended(query, value, attention):
    return attention(query, value)


@pytest.mark.parametrize(
    ("function", "a", "b", "inner"),
    [
        (lambda a, b, dense: dense(ops.concatenate([a, b], -1)), (2, 4), (2, 6), [layers.Dense(3)]),
        (lambda a, b, dense: dense(a * b), (2, 4), (2, 4), [layers.Dense(1)]),
        (lambda a, b, dense: dense(a) + b, (2, 4), (2, 3), [layers.Dense(3)]),
        (lambda a, b, tower: tower(a) - tower(b), (2, 9, 9, 3), (2, 9, 9, 3), [tower()]),
        (attended, (2, 5, 8), (2, 7, 8), [layers.MultiHeadAttention(2, 4)]),
    ],
    ids=["concatenated", "multiplied", "added", "siamese", "attention"],
)
def test_the_shape_of_a_second_argument_follows_from_what_the_layers_were_built_with(function, a, b, inner):
    found, _ = signature(two(function, a, b, *inner))
    assert [shape for _, _, shape in found] == [(None, *a[1:]), (None, *b[1:])]


def test_shapes_with_which_a_layer_would_get_another_shape_than_it_was_built_with_do_not_fit():
    model = two(lambda a, b, mix: mix(b[:, 1:]) + ops.mean(a), (2, 4), (2, 9, 3), layers.Conv1D(3, 1))
    with pytest.raises(ModelError, match=r"not record what model .* takes as 'b'(.|\n)*no shape(.|\n)*domain=\{'b'"):
        trace(model)
    assert signature(model, {"b": ones(2, 9, 3)})[0][1] == ("b", "float32", (None, 9, 3))


def test_several_shapes_that_fit_alike_are_refused_and_samples_or_symbolic_inputs_decide():
    model = two(lambda a, b, mean: mean(a, b), (2, 5, 8), (2, 5), layers.GlobalAveragePooling1D())
    with pytest.raises(ModelError, match=r"b \(\?, 5, 8\); or a \(\?, 5, 8\), b .* fit equally well(.|\n)*keras.Input"):
        trace(model)
    assert signature(model, {"b": ones(2, 5)})[0][1] == ("b", "float32", (None, 5))
    model(keras.Input((5, 8)), keras.Input((5,)))
    assert signature(model)[0][1] == ("b", "float32", (None, 5))


def test_an_argument_that_the_model_does_nothing_with_is_not_guessed():
    with pytest.raises(ModelError, match="does not use 'b'"):
        trace(two(lambda a, b, dense: dense(a), (2, 4), (2, 8), layers.Dense(3)))


class EncoderDecoder(keras.Model):
    """The shared Embedding is built for the first argument, so the second one's shape is nowhere recorded."""

    def __init__(self):
        super().__init__()
        self.table = layers.Embedding(9, 4)
        self.encoder, self.decoder = layers.GRU(4), layers.GRU(4, return_sequences=True)

    def call(self, source, target):
        return self.decoder(self.table(target), initial_state=self.encoder(self.table(source)))


def test_tokens_of_another_length_are_recovered_through_the_layer_after_a_shared_embedding():
    model = EncoderDecoder()
    model(ones(2, 5, dtype="int32"), ones(2, 7, dtype="int32"))
    assert signature(model)[0] == [("source", "int32", (None, 5)), ("target", "int32", (None, 7))]


def test_dict_inputs_keep_their_keys_and_what_only_becomes_whole_numbers_is_whole():
    model = Tokens()
    model({"x": ones(2, 3), "ids": ones(2, 5, dtype="int32")})
    inputs, outputs = signature(model)
    assert inputs == [("ids", "int32", (None, 5)), ("x", "float32", (None, 3))]
    assert [name for name, _, _ in outputs] == ["a", "a_1", "b"]


def test_a_model_that_was_never_called_takes_what_its_samples_are():
    assert signature(Two(), {"b": ones(7, 6), "a": ones(7, 4)})[0] == [
        ("a", "float32", (None, 4)), ("b", "float32", (None, 6)),
    ]  # fmt: skip
    inputs, _ = signature(Tokens(), {"x": ones(4, 3, dtype="float64"), "ids": ones(4, 5, dtype="int64")})
    assert inputs == [("ids", "int64", (None, 5)), ("x", "float32", (None, 3))]
    model = keras.Sequential([layers.Dense(2)])
    assert signature(model, {"signal": ones(4, 3)})[0] == [("signal", "float32", (None, 3))]


def test_a_model_that_was_never_called_is_refused_without_samples_and_says_what_to_give():
    with pytest.raises(ModelError, match=r"never called(.|\n)*domain=\{'a': array, 'b': array"):
        trace(Two())
    with pytest.raises(ModelError, match=r"not those of its arguments(.|\n)*samples of a, b"):
        trace(Two(), {"c": ones(2, 4)})


def test_a_model_that_was_built_with_the_default_shape_of_its_build_takes_that_shape():
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)

        def build(self, input_shape=(None, 4), again=False):
            self.dense.build(input_shape)

        def call(self, inputs, *args, **kwargs):
            return self.dense(inputs)

    model = Net()
    with pytest.raises(ModelError, match="never called"):
        trace(model)
    model.build()
    assert signature(model)[0] == [("inputs", "float32", (None, 4))]
    model = Net()
    model.build((None, 4))
    assert signature(model)[0] == [("inputs", "float32", (None, 4))]


def test_a_sequential_model_is_not_bound_to_the_batch_of_its_first_call():
    model = keras.Sequential([layers.Dense(2)])
    model(ones(5, 3))
    assert signature(model)[0][0][2] == (None, 3)


def test_whole_samples_tell_what_a_sequential_model_was_called_with():
    model = keras.Sequential([layers.Embedding(9, 4)])
    model(ones(5, 3, dtype="int32"))
    (name,) = [tensor.name for tensor in model.inputs]
    assert signature(model)[0] == [(name, "float32", (None, 3))]
    assert signature(model, {name: ones(5, 3, dtype="int32")})[0] == [(name, "int32", (None, 3))]


def test_an_output_that_is_none_is_refused_by_its_place():
    model = NoneToo()
    model(ones(1, 2))
    with pytest.raises(ModelError, match=r"outputs\['loss'\]"):
        trace(model)


class NoneToo(keras.Model):
    def call(self, x):
        return {"y": x, "loss": None}


def test_more_than_ten_outputs_keep_their_order_and_names():
    x = keras.Input((2,), name="x")
    model = keras.Model(x, [layers.Dense(i + 1, name=f"y{i}")(x) for i in range(12)])
    assert signature(model)[1] == [(f"y{i}", "float32", (None, i + 1)) for i in range(12)]


def test_one_tensor_given_twice_and_an_input_given_back_get_names_of_their_own():
    x = keras.Input((2,), name="x")
    y = layers.Dense(2, name="y")(x)
    assert [name for name, _, _ in signature(keras.Model(x, [y, y, x]))[1]] == ["y", "y_1", "x_1"]


def test_scalars_and_models_without_a_batch_keep_their_shapes():
    x = keras.Input(batch_shape=(3, 4), name="x")
    model = keras.Model(x, [ops.mean(x), ops.argmax(x, -1)])
    inputs, outputs = signature(model)
    assert inputs == [("x", "float32", (3, 4))]
    assert [entry[1:] for entry in outputs] == [("float32", ()), ("int32", (3,))]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "bool", "float16", "bfloat16", "float64", "string"])
def test_inputs_keep_their_dtype(dtype):
    x = keras.Input((2,), dtype=dtype, name="x")
    inputs, _ = signature(keras.Model(x, ops.flip(x)))
    assert inputs == [("x", dtype, (None, 2))]


def test_a_mixed_policy_takes_single_precision():
    model = keras.Sequential([layers.Dense(2, dtype="mixed_float16")])
    wrapped = Wrapped(model, dtype="mixed_float16")
    wrapped(ones(2, 3))
    assert signature(wrapped) == ([("x", "float32", (None, 3))], [("output", "float16", (None, 2))])


class Wrapped(keras.Model):
    def __init__(self, inner, **options):
        super().__init__(**options)
        self.inner = inner

    def call(self, x):
        return (self.inner(x),)


def test_an_optional_input_is_always_wanted_and_noted():
    x = keras.Input((2,), name="x", optional=True)
    program = trace(keras.Model(x, layers.Identity()(x)))
    assert any("optional" in note for note in program.interface.notes)


def test_a_sparse_output_is_dense():
    x = keras.Input((1,), dtype="int32", name="x")
    model = keras.Model(x, layers.CategoryEncoding(4, output_mode="multi_hot", sparse=True)(x))
    program = trace(model)
    assert program.interface.run(model, [np.array([[2]], "int32")])[0].tolist() == [[0, 0, 1, 0]]


def test_what_the_models_own_code_raises_is_told_with_its_line():
    model = Broken()
    model.built = True
    model._build_shapes_dict = {"input_shape": (1, 2)}
    with pytest.raises(ExportError, match=r"KeyError: missing \(.*test_interfaces.py:\d+\)"):
        trace(model)


def test_text_and_bfloat16_are_held_as_numpy_can():
    from kexport.runtimes.keras_model import to_array, to_tensor

    for text in (np.array([["a", "é"], ["", "\udcff"]]), np.array([[1.5, -2.0]], "float32")):
        dtype = "string" if text.dtype.kind == "U" else "bfloat16"
        assert to_tensor(dtype, text).dtype.name == dtype
        assert to_array(to_tensor(dtype, text)).tolist() == text.tolist()
    assert TensorSpec("x", "bfloat16", ()).numpy_dtype == np.float32


def test_a_model_without_a_call_is_refused_and_its_parts_are_named():
    class Generative(keras.Model):
        def __init__(self):
            super().__init__(name="generative")
            self.encoder = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
            self.decoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4)])

    for samples in ({}, {"inputs": np.zeros((2, 4), "float32")}):
        with pytest.raises(ModelError, match=r"has no call\(\)(.|\n)*its parts(.|\n)*\.encoder, \.decoder"):
            trace(Generative(), samples)

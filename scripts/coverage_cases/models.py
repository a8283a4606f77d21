"""Models as people write them: subclassed, nested, shared, with inputs and outputs in structures."""

import keras
from keras import layers as L
from keras import ops

from coverage_cases._case import Cases
from coverage_cases._draw import booleans, ended, integers, normal, pixels, texts

CASES = Cases("models")
registered = keras.saving.register_keras_serializable("coverage")


def model(name, inputs, **options):
    """Add the model that the decorated function returns; its inputs are named as here."""
    options.setdefault("noise", True)
    return lambda make: CASES.add(name, make, inputs, **options)


def _named(*shape, name="x", dtype=None):
    return keras.Input(shape, dtype=dtype, name=name)


@model("Sequential/dense", {"x": normal(8)})
def _():
    return keras.Sequential([_named(8), L.Dense(6, activation="gelu"), L.Dense(3, activation="softmax")])


@model("Sequential/nested", {"x": normal(8)})
def _():
    inner = keras.Sequential([L.Dense(6, activation="relu"), L.Dense(6)])
    return keras.Sequential([_named(8), inner, L.Dense(2)])


@model("Sequential/convolutional", {"x": pixels(16, 16, 3)})
def _():
    block = [L.Conv2D(8, 3, strides=2, use_bias=False), L.BatchNormalization(), L.ReLU()]
    return keras.Sequential([_named(16, 16, 3), L.Rescaling(1 / 255.0), *block, L.GlobalAveragePooling2D(), L.Dense(4)])


@model("Sequential/built late", {"keras_tensor": normal(8)})
def _():
    made = keras.Sequential([L.Dense(6, activation="relu"), L.Dense(3)])
    made.build((None, 8))
    return made


@model("functional/several inputs", {"a": normal(4), "b": normal(6)})
def _():
    a, b = _named(4, name="a"), _named(6, name="b")
    return keras.Model([a, b], L.Dense(3)(L.Concatenate()([a, b])))


@model(
    "functional/dict of inputs",
    {"left": normal(4), "right": normal(6)},
    call=lambda m, left, right: m({"left": left, "right": right}),
)
def _():
    inputs = {"left": _named(4, name="left"), "right": _named(6, name="right")}
    return keras.Model(inputs, L.Dense(3)(L.Concatenate()([inputs["left"], inputs["right"]])))


@model("functional/dict of outputs", {"x": normal(8)})
def _():
    x = _named(8)
    return keras.Model(x, {"scores": L.Dense(3)(x), "again": L.Dense(2, activation="tanh")(x)})


@model("functional/list of outputs", {"x": normal(8)})
def _():
    x = _named(8)
    hidden = L.Dense(6, activation="relu")(x)
    return keras.Model(x, [L.Dense(3)(hidden), hidden, L.Dense(1)(hidden)])


@model("functional/tuple of inputs", {"a": normal(4), "b": normal(4)}, call=lambda m, a, b: m((a, b)))
def _():
    a, b = _named(4, name="a"), _named(4, name="b")
    return keras.Model((a, b), L.Dense(3)(L.Subtract()([a, b])))


@model(
    "functional/nested structure",
    {"a": normal(4), "b": normal(4), "c": normal(4)},
    call=lambda m, a, b, c: m({"one": a, "two": [b, c]}),
)
def _():
    a, b, c = (_named(4, name=name) for name in "abc")
    return keras.Model({"one": a, "two": [b, c]}, {"sum": L.Add()([a, b, c]), "parts": [L.Dense(2)(a), L.Dense(3)(c)]})


@model("functional/shared layer", {"a": normal(4), "b": normal(4)})
def _():
    a, b, shared = _named(4, name="a"), _named(4, name="b"), L.Dense(5, activation="tanh")
    return keras.Model([a, b], L.Dot(axes=1)([shared(a), shared(b)]))


@model("functional/shared model", {"a": normal(8, 8, 3), "b": normal(8, 8, 3)})
def _():
    a, b = _named(8, 8, 3, name="a"), _named(8, 8, 3, name="b")
    tower = keras.Sequential([L.Input((8, 8, 3)), L.Conv2D(4, 3, activation="relu"), L.Flatten(), L.Dense(5)])
    return keras.Model([a, b], L.Subtract()([tower(a), tower(b)]))


@model("functional/nested twice", {"x": normal(8)})
def _():
    x = _named(8)
    core = keras.Model(i := L.Input((8,)), L.Dense(6)(i))
    middle = keras.Model(j := L.Input((8,)), L.ReLU()(core(j)))
    return keras.Model(x, L.Dense(2)(middle(x)))


@model("functional/skip connections", {"x": normal(12, 12, 3)})
def _():
    x = _named(12, 12, 3)
    down = L.Conv2D(8, 3, strides=2, padding="same", activation="relu")(x)
    up = L.Conv2DTranspose(3, 3, strides=2, padding="same")(down)
    return keras.Model(x, L.Add()([x, up]))


@model("functional/twelve outputs", {"x": normal(4)})
def _():
    x = _named(4)
    return keras.Model(x, [L.Dense(size)(x) for size in range(1, 13)])


@model("functional/operators", {"x": normal(4), "y": normal(4)})
def _():
    x, y = _named(4), _named(4, name="y")
    return keras.Model([x, y], ops.tanh(x * 2.0 - y) / (1.0 + ops.abs(y)) + ops.mean(x, axis=-1, keepdims=True))


@model("functional/int and float", {"ids": integers(0, 10, 5), "x": normal(5, 3)})
def _():
    ids, x = _named(5, name="ids", dtype="int32"), _named(5, 3)
    return keras.Model([ids, x], L.Concatenate()([L.Embedding(10, 4)(ids), x]))


@model("functional/bool input", {"x": normal(5), "keep": booleans(5)})
def _():
    x, keep = _named(5), _named(5, name="keep", dtype="bool")
    return keras.Model([x, keep], ops.where(keep, x, ops.zeros_like(x)))


@model("functional/int output", {"x": normal(5)})
def _():
    x = _named(5)
    return keras.Model(x, [ops.argmax(L.Dense(7)(x), axis=-1), ops.cast(x > 0, "int32")])


@model("functional/bool output", {"x": normal(5)})
def _():
    x = _named(5)
    return keras.Model(x, L.Dense(3)(x) > 0)


@model("functional/strings", {"words": texts(3)})
def _():
    words = _named(3, name="words", dtype="string")
    found = L.StringLookup(vocabulary=["the", "dog", "Fox!"])(words)
    return keras.Model(words, L.Embedding(5, 4)(found))


@model("functional/dynamic time", {"x": normal(None, 4)})
def _():
    x = _named(None, 4)
    return keras.Model(x, L.GlobalMaxPooling1D()(L.Conv1D(6, 3, padding="same", activation="relu")(x)))


@model("functional/dynamic image", {"x": normal(None, None, 3)})
def _():
    x = _named(None, None, 3)
    return keras.Model(x, L.Conv2D(2, 1)(L.MaxPooling2D(2, padding="same")(L.Conv2D(4, 3, padding="same")(x))))


@model("functional/sequence classifier", {"ids": ended(integers(1, 20, None))})
def _():
    ids = _named(None, name="ids", dtype="int32")
    hidden = L.Bidirectional(L.LSTM(6))(L.Embedding(20, 8, mask_zero=True)(ids))
    return keras.Model(ids, L.Dense(3, activation="softmax")(hidden))


def _encoder(x, heads=2, size=8):
    attended = L.LayerNormalization()(x + L.MultiHeadAttention(heads, size // heads)(x, x))
    return L.LayerNormalization()(attended + L.Dense(size)(L.Dense(16, activation="gelu")(attended)))


@model("functional/transformer", {"x": normal(6, 8)})
def _():
    x = _named(6, 8)
    return keras.Model(x, _encoder(_encoder(x)))


@model("functional/transformer of tokens", {"ids": integers(0, 20, None)})
def _():
    ids = _named(None, name="ids", dtype="int32")
    return keras.Model(ids, L.Dense(20)(_encoder(L.Embedding(20, 8)(ids))))


@model("functional/vision transformer", {"x": pixels(16, 16, 3)})
def _():
    x = _named(16, 16, 3)
    patches = L.Reshape((16, 8))(L.Conv2D(8, 4, strides=4)(L.Rescaling(1 / 255.0)(x)))
    return keras.Model(x, L.Dense(3)(L.GlobalAveragePooling1D()(_encoder(patches))))


@model("functional/autoencoder", {"x": normal(16, 16, 1)})
def _():
    x = _named(16, 16, 1)
    code = L.Dense(8)(L.Flatten()(L.Conv2D(4, 3, strides=2, padding="same", activation="relu")(x)))
    back = L.Reshape((8, 8, 4))(L.Dense(256, activation="relu")(code))
    return keras.Model(x, [L.Conv2DTranspose(1, 3, strides=2, padding="same", activation="sigmoid")(back), code])


@model("functional/mixed float16", {"x": normal(8)})
def _():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        x = _named(8)
        return keras.Model(x, L.Dense(3, dtype="float32")(L.Dense(6, activation="relu")(x)))
    finally:
        keras.config.set_dtype_policy("float32")


@model("functional/mixed bfloat16", {"x": normal(8)})
def _():
    x = _named(8)
    hidden = L.Dense(6, activation="relu", dtype="mixed_bfloat16")(x)
    return keras.Model(x, L.Dense(3, dtype="float32")(hidden))


@model("functional/float64", {"x": normal(8, dtype="float64")})
def _():
    x = _named(8, dtype="float64")
    return keras.Model(x, L.Dense(3, dtype="float64")(L.Dense(6, activation="tanh", dtype="float64")(x)))


@model("functional/fixed batch", {"x": normal(8)}, batch=2)
def _():
    x = keras.Input(batch_shape=(2, 8), name="x")
    return keras.Model(x, L.Dense(3)(x))


@model("functional/odd names", {"my_input_0": normal(4)})
def _():
    x = keras.Input((4,), name="my input:0")
    return keras.Model(x, L.Dense(3, name="out_put.1")(x))


@model("functional/unused weights frozen", {"x": normal(8)})
def _():
    x = _named(8)
    frozen = L.Dense(6, trainable=False)
    return keras.Model(x, L.Dense(2)(L.Dropout(0.5)(frozen(x))))


@model("functional/augmented", {"x": pixels(12, 12, 3)})
def _():
    x = _named(12, 12, 3)
    changed = L.RandomRotation(0.2)(L.RandomFlip()(L.Rescaling(1 / 255.0)(x)))
    return keras.Model(x, L.Conv2D(3, 3)(changed))


@model("functional/normalized input", {"x": normal(4)})
def _():
    import numpy as np

    x, adapted = _named(4), L.Normalization()
    adapted.adapt(np.random.default_rng(0).normal(2, 3, (50, 4)).astype("float32"))
    return keras.Model(x, L.Dense(3)(adapted(x)))


@registered
class _Plain(keras.Model):
    """Makes its layers in its constructor."""

    def __init__(self, units=3, **options):
        super().__init__(**options)
        self.units = units
        self.hidden, self.out = L.Dense(6, activation="relu"), L.Dense(units)

    def call(self, inputs):
        return self.out(self.hidden(inputs))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@model("subclassed/called", {"inputs": normal(8)})
def _():
    made = _Plain()
    made(ops.zeros((1, 8)))
    return made


@model("subclassed/never called", {"inputs": normal(8)})
def _():
    return _Plain()


@model("subclassed/built", {"inputs": normal(8)})
def _():
    made = _Plain()
    made.build((None, 8))
    return made


@registered
class _Two(keras.Model):
    """Takes two arguments."""

    def __init__(self, **options):
        super().__init__(**options)
        self.one, self.other = L.Dense(4), L.Dense(4)

    def call(self, query, key):
        return self.one(query) * self.other(key)


@model("subclassed/two arguments", {"query": normal(5), "key": normal(6)}, call=lambda m, q, k: m(q, k))
def _():
    made = _Two()
    made(ops.zeros((2, 5)), ops.zeros((2, 6)))
    return made


@registered
class _OfList(keras.Model):
    def __init__(self, **options):
        super().__init__(**options)
        self.one, self.other = L.Dense(4), L.Dense(4)

    def call(self, inputs):
        return self.one(inputs[0]) + self.other(inputs[1])


@model("subclassed/list of inputs", {"inputs": normal(5), "inputs_1": normal(6)}, call=lambda m, a, b: m([a, b]))
def _():
    made = _OfList()
    made([ops.zeros((2, 5)), ops.zeros((2, 6))])
    return made


@registered
class _OfDict(keras.Model):
    def __init__(self, **options):
        super().__init__(**options)
        self.words, self.numbers = L.Embedding(10, 4), L.Dense(4)

    def call(self, inputs):
        total = ops.sum(self.words(inputs["ids"]), axis=1) + self.numbers(inputs["x"])
        return {"total": total, "largest": ops.max(total, axis=-1)}


@model(
    "subclassed/dict of inputs",
    {"ids": integers(0, 10, 5), "x": normal(6)},
    call=lambda m, ids, x: m({"ids": ids, "x": x}),
)
def _():
    made = _OfDict()
    made({"ids": ops.zeros((2, 5), "int32"), "x": ops.zeros((2, 6))})
    return made


@registered
class _OfInts(keras.Model):
    def __init__(self, **options):
        super().__init__(**options)
        self.embedding, self.out = L.Embedding(20, 6), L.Dense(3)

    def call(self, ids):
        return self.out(ops.mean(self.embedding(ids), axis=1))


@model("subclassed/int input", {"ids": integers(0, 20, 7)})
def _():
    made = _OfInts()
    made(ops.zeros((2, 7), "int32"))
    return made


@registered
class _Training(keras.Model):
    """Does something else while it is trained."""

    def __init__(self, **options):
        super().__init__(**options)
        self.noise, self.norm, self.out = L.GaussianNoise(1.0), L.BatchNormalization(), L.Dense(3)

    def call(self, x, training=False):
        hidden = self.norm(self.noise(x, training=training), training=training)
        return self.out(hidden if training else hidden * 2.0)


@model("subclassed/training argument", {"x": normal(8)})
def _():
    made = _Training()
    made(ops.zeros((2, 8)))
    return made


@registered
class _Masked(keras.Model):
    """Hands a mask on by hand."""

    def __init__(self, **options):
        super().__init__(**options)
        self.embedding, self.memory = L.Embedding(9, 4, mask_zero=True), L.GRU(5)

    def call(self, ids):
        embedded = self.embedding(ids)
        return self.memory(embedded, mask=self.embedding.compute_mask(ids))


@model("subclassed/masked", {"ids": ended(integers(1, 9, 6))})
def _():
    made = _Masked()
    made(ops.ones((2, 6), "int32"))
    return made


@registered
class _Residual(keras.layers.Layer):
    """A block of layers, made when it is built."""

    def build(self, shape):
        self.inner, self.norm = L.Dense(shape[-1], activation="silu"), L.LayerNormalization()
        self.inner.build(shape)
        self.norm.build(shape)

    def call(self, x):
        return self.norm(x + self.inner(x))


@model("custom layers/residual", {"x": normal(8)})
def _():
    x = _named(8)
    return keras.Model(x, _Residual()(_Residual()(x)))


@registered
class _Nested(keras.Model):
    """Holds models and lists of layers."""

    def __init__(self, **options):
        super().__init__(**options)
        self.blocks = [_Residual() for _ in range(3)]
        self.head = keras.Sequential([L.Dense(4, activation="relu"), L.Dense(2)])

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x)


@model("subclassed/nested", {"x": normal(8)})
def _():
    made = _Nested()
    made(ops.zeros((2, 8)))
    return made


@model("subclassed/inside functional", {"x": normal(8)})
def _():
    x = _named(8)
    return keras.Model(x, L.Dense(2)(_Plain(5)(x)))


@registered
class _Looped(keras.layers.Layer):
    """Repeats itself by a loop of operations."""

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], shape[-1]), name="kernel")

    def call(self, x):
        return ops.fori_loop(0, 3, lambda step, state: ops.tanh(ops.matmul(state, self.kernel)), x)


@model("custom layers/loop", {"x": normal(5)})
def _():
    x = _named(5)
    return keras.Model(x, _Looped()(x))


@registered
class _Constant(keras.layers.Layer):
    """Holds a constant that is no weight."""

    def __init__(self, **options):
        super().__init__(**options)
        self.table = ops.convert_to_tensor([1.0, 2.0, 3.0, 4.0])

    def call(self, x):
        return x * self.table


@model("custom layers/captured constant", {"x": normal(4)})
def _():
    x = _named(4)
    return keras.Model(x, _Constant()(x))


@registered
class _Counter(keras.layers.Layer):
    """Remembers how often it was called."""

    stateful = True

    def build(self, shape):
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")

    def call(self, x):
        self.count.assign(self.count + 1.0)
        return x + self.count

    def reset_state(self):
        self.count.assign(0.0)


@model("stateful/counter", {"x": normal(4)}, batch=2)
def _():
    x = keras.Input(batch_shape=(2, 4), name="x")
    return keras.Model(x, _Counter()(x))


@model("stateful/lstm", {"x": normal(6, 4)}, batch=1)
def _():
    x = keras.Input(batch_shape=(1, 6, 4), name="x")
    return keras.Model(x, L.Dense(2)(L.LSTM(5, stateful=True, return_sequences=True)(x)))


@model("functional/sequence to sequence", {"source": integers(0, 12, None), "target": integers(0, 12, None)})
def _():
    source, target = _named(None, name="source", dtype="int32"), _named(None, name="target", dtype="int32")
    table = L.Embedding(12, 6)
    _, *state = L.LSTM(5, return_state=True)(table(source))
    decoded = L.LSTM(5, return_sequences=True)(table(target), initial_state=state)
    return keras.Model([source, target], L.Dense(12)(decoded))


@model("functional/time distributed", {"x": normal(None, 8, 8, 1)})
def _():
    x = _named(None, 8, 8, 1)
    frames = L.TimeDistributed(keras.Sequential([L.Input((8, 8, 1)), L.Conv2D(4, 3), L.GlobalAveragePooling2D()]))(x)
    return keras.Model(x, L.GRU(3)(frames))


@model("functional/loaded from a file", {"x": normal(8)})
def _():
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        x = _named(8)
        keras.Model(x, L.Dense(3)(L.Dense(6, activation="relu")(x))).save(f"{folder}/m.keras")
        return keras.saving.load_model(f"{folder}/m.keras")


@model("functional/spectrogram", {"x": normal(256)})
def _():
    x = _named(256)
    sound = L.MelSpectrogram(64, 32, num_mel_bins=8, sampling_rate=1000, max_freq=400)(x)
    return keras.Model(x, L.Dense(2)(L.Flatten()(sound)))

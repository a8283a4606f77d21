"""Core layers: dense, embedding, lambda, masking and the like."""

import keras
from keras import layers as L

from coverage_cases._case import Cases
from coverage_cases._draw import booleans, ended, integers, normal

CASES = Cases("layers")
of = CASES.of

of("Dense/default", normal(8), lambda x: L.Dense(5)(x))
of("Dense/no_bias", normal(8), lambda x: L.Dense(5, use_bias=False)(x))
of("Dense/three_axes", normal(6, 8), lambda x: L.Dense(5, activation="tanh")(x))
of("Dense/dynamic", normal(None, 8), lambda x: L.Dense(5, activation="relu")(x))
of("Dense/lora", normal(8), lambda x: L.Dense(5, lora_rank=2)(x))
of("Dense/float64", normal(8, dtype="float64"), lambda x: L.Dense(5, dtype="float64")(x))
of("Dense/float16", normal(8, dtype="float16"), lambda x: L.Dense(5, dtype="float16")(x), noise=True)
of("Dense/bfloat16", normal(8, dtype="bfloat16"), lambda x: L.Dense(5, dtype="bfloat16")(x), noise=True)
of("Dense/mixed_float16", normal(8), lambda x: L.Dense(5, dtype="mixed_float16")(x), noise=True)
of("Dense/mixed_bfloat16", normal(8), lambda x: L.Dense(5, dtype="mixed_bfloat16")(x), noise=True)
of("Dense/fixed_batch", normal(8), lambda x: L.Dense(5)(x), batch=2)
of(
    "EinsumDense/default",
    normal(6, 8),
    lambda x: L.EinsumDense("abc,cd->abd", output_shape=(None, 5), bias_axes="d")(x),
)
of(
    "EinsumDense/heads",
    normal(6, 8),
    lambda x: L.EinsumDense("abc,cde->abde", output_shape=(None, 2, 4), bias_axes="de", activation="relu")(x),
)
of(
    "EinsumDense/ellipsis",
    normal(3, 6, 8),
    lambda x: L.EinsumDense("...x,xy->...y", output_shape=5, bias_axes="y")(x),
)
of("EinsumDense/contract_two", normal(6, 8), lambda x: L.EinsumDense("abc,bcd->ad", output_shape=4)(x))
of(
    "EinsumDense/dynamic",
    normal(None, 8),
    lambda x: L.EinsumDense("abc,cd->abd", output_shape=(None, 5))(x),
)
of("Embedding/default", integers(0, 20, 7), lambda x: L.Embedding(20, 6)(x))
of("Embedding/float_indices", integers(0, 20, 7, dtype="float32"), lambda x: L.Embedding(20, 6)(x))
of("Embedding/int64", integers(0, 20, 7, dtype="int64"), lambda x: L.Embedding(20, 6)(x))
of("Embedding/uint8", integers(0, 20, 7, dtype="uint8"), lambda x: L.Embedding(20, 6)(x))
of(
    "Embedding/mask_pooled",
    ended(integers(1, 20, 7)),
    lambda x: L.GlobalAveragePooling1D()(L.Embedding(20, 6, mask_zero=True)(x)),
)
of("Embedding/dynamic", integers(0, 20, None), lambda x: L.Embedding(20, 6)(x))
of("Embedding/two_axes", integers(0, 20, 3, 4), lambda x: L.Embedding(20, 6)(x))
of("Embedding/lora", integers(0, 20, 7), lambda x: L.Embedding(20, 6, lora_rank=2)(x))
of("Embedding/mixed_float16", integers(0, 20, 7), lambda x: L.Embedding(20, 6, dtype="mixed_float16")(x), noise=True)


def _tied(x, **options):
    embedding = L.ReversibleEmbedding(20, 6, **options)
    return embedding(embedding(x), reverse=True)


of("ReversibleEmbedding/forward", integers(0, 20, 7), lambda x: L.ReversibleEmbedding(20, 6)(x))
of("ReversibleEmbedding/tied", integers(0, 20, 7), _tied)
of("ReversibleEmbedding/untied", integers(0, 20, 7), lambda x: _tied(x, tie_weights=False))
of("ReversibleEmbedding/soft_cap", integers(0, 20, 7), lambda x: _tied(x, logit_soft_cap=2.0))
of("Identity/default", normal(8), lambda x: L.Identity()(x))
of("Identity/int", integers(0, 9, 8), lambda x: L.Identity()(x))
of("InputLayer/default", normal(8), lambda x: L.Dense(3)(x))
of("InputLayer/sequential", normal(8), lambda x: keras.Sequential([L.InputLayer((8,)), L.Dense(3)])(x))
of("Lambda/default", normal(8), lambda x: L.Lambda(lambda value: value * 2 + 1)(x))
of("Lambda/two", [normal(8), normal(8)], lambda x: L.Lambda(lambda values: values[0] * values[1])(x))
of("Masking/lstm", ended(normal(6, 4)), lambda x: L.LSTM(3)(L.Masking(0.0)(x)))
of("Masking/alone", ended(normal(6, 4)), lambda x: L.Masking(0.0)(x))
of("Masking/dynamic", ended(normal(None, 4)), lambda x: L.GRU(3, return_sequences=True)(L.Masking(0.0)(x)))
of("SpectralNormalization/dense", normal(8), lambda x: L.SpectralNormalization(L.Dense(3))(x))
of("SpectralNormalization/conv", normal(8, 8, 3), lambda x: L.SpectralNormalization(L.Conv2D(3, 3))(x))


class _Twice(L.Wrapper):
    def call(self, inputs):
        return self.layer(self.layer(inputs))


keras.saving.register_keras_serializable("coverage")(_Twice)
of("Wrapper/own", normal(4), lambda x: _Twice(L.Dense(4))(x))


@keras.saving.register_keras_serializable("coverage")
class _Scale(L.Layer):
    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), name="scale")

    def call(self, inputs):
        return inputs * self.scale


of("Layer/own", normal(8), lambda x: _Scale()(x))
of("TimeDistributed/dense", normal(5, 4), lambda x: L.TimeDistributed(L.Dense(3))(x))
of("TimeDistributed/dynamic", normal(None, 4), lambda x: L.TimeDistributed(L.Dense(3))(x))
of("TimeDistributed/conv", normal(3, 8, 8, 2), lambda x: L.TimeDistributed(L.Conv2D(4, 3))(x))
of("TimeDistributed/conv_dynamic", normal(None, 8, 8, 2), lambda x: L.TimeDistributed(L.Conv2D(4, 3))(x))
of("TimeDistributed/lstm", normal(3, 5, 4), lambda x: L.TimeDistributed(L.LSTM(4))(x))
of(
    "TimeDistributed/masked",
    ended(integers(1, 9, 5)),
    lambda x: L.TimeDistributed(L.Dense(3))(L.Embedding(9, 4, mask_zero=True)(x)),
)
of(
    "TimeDistributed/model",
    normal(None, 6),
    lambda x: L.TimeDistributed(keras.Sequential([L.Input((6,)), L.Dense(4), L.Dense(2)]))(x),
)


def _exported(x, endpoint="serve"):
    import tempfile

    folder = tempfile.mkdtemp()
    keras.Sequential([L.Input((4,)), L.Dense(3)]).export(folder, verbose=False)
    return L.TFSMLayer(folder, call_endpoint=endpoint)(x)


of("TFSMLayer/default", normal(4), _exported)
of("ActivityRegularization/default", normal(8), lambda x: L.ActivityRegularization(0.1)(x))
of("Dropout/default", normal(8), lambda x: L.Dropout(0.5)(x))
of("Dropout/noise_shape", normal(4, 8), lambda x: L.Dropout(0.5, noise_shape=(None, 1, 8))(x))
of("AlphaDropout/default", normal(8), lambda x: L.AlphaDropout(0.5)(x))
of("GaussianDropout/default", normal(8), lambda x: L.GaussianDropout(0.5)(x))
of("GaussianNoise/default", normal(8), lambda x: L.GaussianNoise(0.5)(x))
of("SpatialDropout1D/default", normal(5, 3), lambda x: L.SpatialDropout1D(0.5)(x))
of("SpatialDropout2D/default", normal(5, 5, 3), lambda x: L.SpatialDropout2D(0.5)(x))
of("SpatialDropout3D/default", normal(3, 3, 3, 2), lambda x: L.SpatialDropout3D(0.5)(x))
of("Softmax/masked", [normal(8), booleans(8)], lambda x: L.Softmax()(x[0], mask=x[1]))

"""Preprocessing of numbers, categories, text and sound."""

import numpy as np
from keras import layers as L

from coverage_cases._case import Cases
from coverage_cases._draw import integers, normal, pixels, texts, uniform

CASES = Cases("layers")
of = CASES.of
_WORDS = ["the", "dog", "Fox!", "a b c"]
_BINS = [-1.0, 0.0, 1.0]

of("Rescaling/default", pixels(8, 8, 3), lambda x: L.Rescaling(1 / 127.5, -1.0)(x))
of("Rescaling/uint8", pixels(8, 8, 3, dtype="uint8"), lambda x: L.Rescaling(1 / 255.0)(x))
of("Rescaling/by_channel", pixels(8, 8, 3), lambda x: L.Rescaling([0.1, 0.2, 0.3], [1.0, 2.0, 3.0])(x))
of("Discretization/int", normal(4), lambda x: L.Discretization(_BINS)(x))
for _mode in ("one_hot", "multi_hot", "count"):
    _size = 1 if _mode == "one_hot" else 4
    of(f"Discretization/{_mode}", normal(_size), lambda x, mode=_mode: L.Discretization(_BINS, output_mode=mode)(x))
    of(
        f"CategoryEncoding/{_mode}",
        integers(0, 6, _size),
        lambda x, mode=_mode: L.CategoryEncoding(6, output_mode=mode)(x),
    )
    of(
        f"IntegerLookup/{_mode}",
        integers(0, 8, _size, dtype="int64"),
        lambda x, mode=_mode: L.IntegerLookup(vocabulary=[1, 5, 3], output_mode=mode)(x),
    )
    of(
        f"StringLookup/{_mode}",
        texts(_size),
        lambda x, mode=_mode: L.StringLookup(vocabulary=_WORDS, output_mode=mode)(x),
    )
of("Discretization/int_input", integers(-3, 4, 4), lambda x: L.Discretization([-1, 1])(x))


def _adapted(x):
    layer = L.Discretization(num_bins=4)
    layer.adapt(np.random.default_rng(0).normal(0, 1, (200, 1)).astype("float32"))
    return layer(x)


of("Discretization/adapted", normal(4), _adapted)
of(
    "CategoryEncoding/weighted",
    [integers(0, 6, 4), uniform(0, 1, 4)],
    lambda x: L.CategoryEncoding(6, output_mode="count")(x[0], count_weights=x[1]),
)
of("CategoryEncoding/float", integers(0, 6, 4, dtype="float32"), lambda x: L.CategoryEncoding(6)(x))
of("Hashing/string", texts(3), lambda x: L.Hashing(16)(x))
of("Hashing/int", integers(0, 1000, 3, dtype="int64"), lambda x: L.Hashing(16)(x))
of("Hashing/salted", texts(1), lambda x: L.Hashing(16, salt=133, output_mode="one_hot")(x))
of("HashedCrossing/default", [texts(1), texts(1)], lambda x: L.HashedCrossing(8)(x))
of("HashedCrossing/one_hot", [texts(1), texts(1)], lambda x: L.HashedCrossing(8, output_mode="one_hot")(x))
of("IntegerLookup/int", integers(0, 8, 3, dtype="int64"), lambda x: L.IntegerLookup(vocabulary=[1, 5, 3])(x))
of(
    "IntegerLookup/mask",
    integers(0, 8, 3, dtype="int64"),
    lambda x: L.IntegerLookup(vocabulary=[1, 5, 3], mask_token=0, num_oov_indices=2)(x),
)
of(
    "IntegerLookup/invert",
    integers(1, 4, 3, dtype="int64"),
    lambda x: L.IntegerLookup(vocabulary=[1, 5, 3], invert=True)(x),
)
of("StringLookup/int", texts(3), lambda x: L.StringLookup(vocabulary=_WORDS)(x))
of("StringLookup/invert", integers(1, 5, 3), lambda x: L.StringLookup(vocabulary=_WORDS, invert=True)(x))
of(
    "StringLookup/tf_idf",
    texts(3),
    lambda x: L.StringLookup(vocabulary=_WORDS, idf_weights=[0.1, 0.2, 0.3, 0.4], output_mode="tf_idf")(x),
)
_VOCABULARY = ["the", "quick", "brown", "hello", "world"]
of("TextVectorization/int", texts(1), lambda x: L.TextVectorization(vocabulary=_VOCABULARY)(x))
of(
    "TextVectorization/padded",
    texts(1),
    lambda x: L.TextVectorization(vocabulary=_VOCABULARY, output_sequence_length=4)(x),
)
for _mode in ("multi_hot", "count"):
    of(
        f"TextVectorization/{_mode}",
        texts(1),
        lambda x, mode=_mode: L.TextVectorization(vocabulary=_VOCABULARY, output_mode=mode)(x),
    )
for _mode in ("log", "magnitude", "psd", "real", "imag", "angle", "stft"):
    of(
        f"STFTSpectrogram/{_mode}",
        normal(512, 1),
        lambda x, mode=_mode: L.STFTSpectrogram(mode=mode, frame_length=64, frame_step=32)(x),
    )
of(
    "STFTSpectrogram/padded",
    normal(500, 2),
    lambda x: L.STFTSpectrogram(frame_length=60, frame_step=30, fft_length=128, padding="same", expand_dims=True)(x),
)
_MEL = {"fft_length": 256, "sequence_stride": 128, "num_mel_bins": 20, "sampling_rate": 8000}
of("MelSpectrogram/default", normal(2000), lambda x: L.MelSpectrogram(**_MEL)(x))
of("MelSpectrogram/linear", normal(2000), lambda x: L.MelSpectrogram(**_MEL, power_to_db=False)(x))
of(
    "MelSpectrogram/dynamic",
    normal(None),
    lambda x: L.MelSpectrogram(8, 4, num_mel_bins=4, sampling_rate=800, max_freq=400)(x),
)

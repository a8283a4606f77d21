"""What reverses integers copies them: in one scale."""

import keras
import numpy as np

import kexport


def test_a_reversal_before_a_concatenation_keeps_its_numbers_in_8_bits(tmp_path):
    keras.utils.set_random_seed(0)
    x = keras.Input((6, 4), name="x")
    small = keras.layers.Dense(4, activation="sigmoid")(x)
    large = keras.layers.Dense(4)(x) * 3.0
    y = keras.layers.Concatenate()([keras.ops.flip(small, axis=1), large])
    model = keras.Model(x, keras.layers.Dense(3)(y * np.repeat([5.0, 0.2], 4).astype("float32")))
    bundle = kexport.build(model, tmp_path / "b", formats=["tflite"], precision="int8", budget="sqnr=22dB")
    assert bundle.passed

"""Zeros of the shape of another tensor in int16x8."""

import keras

import kexport


def test_what_is_padded_with_zeros_like_it_is_written(tmp_path):
    keras.utils.set_random_seed(0)
    x = keras.Input((4,), name="x")
    padded = keras.ops.concatenate([x, keras.ops.zeros_like(x)], axis=-1)
    bundle = kexport.build(
        keras.Model(x, keras.layers.Dense(3, name="y")(padded)),
        tmp_path / "b",
        formats=["tflite"],
        precision="int16x8",
        domain={"x": (-1, 1)},
        budget="sqnr=36dB",
    )
    assert bundle.passed, [check for check in bundle.report.checks if not check.passed]

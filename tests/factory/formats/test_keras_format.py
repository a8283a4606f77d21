import keras
import numpy as np
import pytest
from keras import layers

import kexport


@keras.saving.register_keras_serializable(package="test_keras_format")
class Two(keras.Model):
    """Keras records the shape of `a` alone, and its constructor takes nothing."""

    def __init__(self):
        super().__init__()
        self.one, self.other = layers.Dense(3), layers.Dense(3)

    def call(self, a, b):
        return self.one(a) + self.other(b)


@keras.saving.register_keras_serializable(package="test_keras_format")
class Shadowed(layers.Layer):
    """An attribute that its own method hides, as in the BruteForceRetrieval of keras-rs."""

    def scores(self):
        return 1

    def call(self, x):
        return x * 2

    def get_config(self):
        return {**super().get_config(), "scores": self.scores}


class Unregistered(layers.Layer):
    def call(self, x):
        return x * 2


def test_a_model_of_two_arguments_reloads_in_keras_with_its_weights(tmp_path):
    model = Two()
    arrays = [np.random.default_rng(0).random((2, size), "float32") for size in (4, 6)]
    wanted = model(*arrays).numpy()
    bundle = kexport.build(model, tmp_path / "b", formats=["keras"])
    assert bundle.passed, bundle.report
    again = keras.saving.load_model(bundle.path / "model.keras")
    assert np.array_equal(again(*arrays).numpy(), wanted)
    assert model._build_shapes_dict == {"input_shape": (2, 4)}
    assert "trainable" in model.get_config()


def test_classes_that_keras_could_not_find_again_are_refused_by_name(tmp_path):
    x = keras.Input((2,), name="x")
    with pytest.raises(kexport.KexportError, match="Unregistered"):
        kexport.build(keras.Model(x, Unregistered()(x)), tmp_path / "b", formats=["keras"])
    assert list(tmp_path.iterdir()) == []


def test_a_lambda_is_refused_unless_it_is_allowed(tmp_path):
    x = keras.Input((2,), name="x")
    model = keras.Model(x, layers.Lambda(lambda t: t + 1, name="plus")(x))
    with pytest.raises(kexport.KexportError, match="Lambda layer 'plus'"):
        kexport.build(model, tmp_path / "b", formats=["keras"])
    assert kexport.build(model, tmp_path / "b", formats=["keras"], allow_lambda=True).passed


def test_a_method_among_the_settings_is_refused_with_the_class_that_gave_it(tmp_path):
    x = keras.Input((2,), name="x")
    with pytest.raises(kexport.KexportError, match=r"'scores' of Shadowed(.|\n)*mend get_config"):
        kexport.build(keras.Model(x, Shadowed()(x)), tmp_path / "b", formats=["keras"])


def test_lora_weights_beside_quantized_ones_are_refused_with_a_way_out_that_works(tmp_path):
    model = keras.Sequential([keras.Input((8,), name="x"), layers.Dense(4, name="d")])
    model.layers[0].enable_lora(2)
    model.layers[0].lora_kernel_b.assign(np.random.default_rng(0).random((2, 4), "float32"))
    model.save(tmp_path / "merged.keras")
    model.layers[0].quantize("int8")
    with pytest.raises(kexport.KexportError, match=r"'d' \(Dense\), int8 with LoRA(.|\n)*before quantize\(\)"):
        kexport.build(model, tmp_path / "b", formats=["keras"])
    merged = keras.models.load_model(tmp_path / "merged.keras")
    merged.layers[0].quantize("int8")
    assert kexport.build(merged, tmp_path / "b", formats=["keras"]).passed

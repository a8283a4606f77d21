"""The file of another model does not pass for this one's, and this one's does."""

import keras
import numpy as np
import pytest
from keras import layers

from kexport import runtimes
from kexport.factory.trace.program import trace


def functional(width=4, dtype="float32", name="x", key="y"):
    x = keras.Input((width,), dtype=dtype, name=name)
    return keras.Model(x, {key: layers.Dense(3)(x)})


def whole():
    return functional(dtype="int32")


def sequential(width=4):
    return keras.Sequential([keras.Input((width,)), layers.Dense(3, name="out")])


@keras.saving.register_keras_serializable("test_keras_runtime")
class Mapped(keras.Model):
    """Of its input, the file keeps keys and shapes."""

    def __init__(self, key="a", width=4, **options):
        super().__init__(**options)
        self.key, self.width, self.dense = key, width, layers.Dense(3)

    def call(self, inputs):
        return {"out": self.dense(inputs[self.key]) + self.dense(inputs["z"])}

    def get_config(self):
        return {**super().get_config(), "key": self.key, "width": self.width}


def mapped(key="a", width=4):
    model = Mapped(key, width)
    model({key: np.ones((2, width), "float32"), "z": np.ones((2, width), "float32")})
    return model


def unnamed():
    x = keras.Input((4,))
    return keras.Model(x, layers.Dense(3)(x) + 1.0)


def agrees(signature, other, folder):
    """Whether the file of the other model declares what the signature says."""
    other.save(folder / "m.keras")
    opened = runtimes.get("keras").open(folder / "m.keras", signature).opened
    return opened.inputs == signature.inputs and list(opened.outputs) == [spec.name for spec in signature.outputs]


@pytest.mark.parametrize("make", [functional, sequential, mapped, unnamed])
def test_the_file_of_a_model_declares_what_its_signature_says(make, tmp_path):
    model = make()
    assert agrees(trace(model).signature, model, tmp_path)


@pytest.mark.parametrize(
    ("make", "other"),
    [
        (functional, functional(width=5)),
        (functional, functional(dtype="int32")),
        (whole, functional()),
        (functional, functional(name="w")),
        (functional, functional(key="z")),
        (sequential, sequential(width=5)),
        (mapped, mapped(width=5)),
        (mapped, mapped(key="b")),
    ],
    ids=[
        "width",
        "dtype",
        "real dtype",
        "input name",
        "output key",
        "sequential width",
        "subclassed width",
        "subclassed key",
    ],
)
def test_the_file_of_another_model_does_not(make, other, tmp_path):
    assert not agrees(trace(make()).signature, other, tmp_path)

"""A file of layers that were registered after it was saved: what the hint says, followed to the letter."""

import keras
import numpy as np
import pytest

from kexport.errors import MissingCodeError
from kexport.runtimes.keras_model import load_file
from kexport.runtimes.keras_model.grant import Grant, granting
from kexport.testing.closeness import assert_close

X = np.random.default_rng(0).normal(size=(2, 3)).astype("float32")


def scale_class():
    class ScaleSavedUnregistered(keras.layers.Layer):
        def build(self, shape):
            self.scale = self.add_weight(shape=shape[-1:], initializer="random_normal")

        def call(self, x):
            return x * self.scale

    return ScaleSavedUnregistered


@pytest.fixture
def saved(tmp_path, request):
    given = keras.Input((3,), name="x")
    model = keras.Model(given, scale_class()()(given))
    path = tmp_path / f"model{request.param}"
    model.save(path)
    return path, model


@pytest.mark.filterwarnings("ignore:.*HDF5")
@pytest.mark.parametrize("saved", [".keras", ".h5"], indirect=True)
def test_a_class_that_was_registered_since_is_found_by_its_bare_name(saved):
    path, model = saved
    with pytest.raises(MissingCodeError, match="write that in the file that defines them"):
        load_file(path)
    with granting(Grant(imports=("layers.py",))), pytest.raises(MissingCodeError, match=r"write that in layers\.py"):
        load_file(path)
    registered = keras.saving.get_custom_objects()
    keras.saving.register_keras_serializable("mine")(scale_class())
    try:
        with pytest.raises(MissingCodeError):
            load_file(path)  # what others registered was not imported for this file
        with granting(Grant(imports=("layers.py",))):
            assert_close(load_file(path)(X).numpy(), model(X).numpy(), ulps=1)
            keras.saving.register_keras_serializable("other")(scale_class())
            with pytest.raises(MissingCodeError):
                load_file(path)  # which of the two is meant?
    finally:
        for package in ("mine", "other"):
            registered.pop(f"{package}>ScaleSavedUnregistered", None)

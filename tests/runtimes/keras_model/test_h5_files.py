"""Whole models in one HDF5 file: read like `.keras` files, on the same terms."""

import json

import h5py
import keras
import numpy as np
import pytest

from kexport.errors import MissingCodeError, ModelError
from kexport.factory import sources
from kexport.runtimes.keras_model import Grant, granting, load_file, read_config

KERAS_2 = {
    "class_name": "Sequential",
    "config": {
        "name": "sequential",
        "layers": [
            {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 4], "dtype": "float32", "name": "x"}},
            {
                "class_name": "Dense",
                "config": {
                    "name": "d", "trainable": True, "dtype": "float32", "units": 8, "activation": "relu",
                    "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": None}},
                },
            },
        ],
    },
}  # fmt: skip
KERAS_2_LAMBDA = {"name": "l", "function": ["4wEAAAA=\n", None, None], "function_type": "lambda", "module": "__main__"}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.h5"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, activation="relu", name="d")]).save(path)
    return path


def with_config(path, config):
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = json.dumps(config)
    return path


@pytest.mark.parametrize("written_by_keras_2", [False, True])
def test_a_whole_model_is_a_source_with_its_weights(saved, written_by_keras_2):
    wanted = load_file(saved).get_weights()
    if written_by_keras_2:
        with_config(saved, KERAS_2)
    model = sources.find(str(saved), {}).load()
    assert all(map(np.array_equal, model.get_weights(), wanted))
    assert model.input_shape == (None, 4)


def test_a_file_of_weights_alone_says_how_to_build_its_model(saved, tmp_path):
    model = load_file(saved)
    for name in ("a.weights.h5", "old.h5"):
        path = tmp_path / name
        model.save_weights(tmp_path / "w.weights.h5")
        (tmp_path / "w.weights.h5").rename(path)
        with pytest.raises(ModelError, match=r"weights alone(.|\n)*load_weights\(file\)"):
            sources.find(str(path), {})


def test_bytecode_is_refused_in_the_layouts_of_both_versions(saved, tmp_path):
    new = tmp_path / "lambda.h5"
    keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x + 1, name="l")]).save(new)
    old = json.loads(json.dumps(KERAS_2))
    old["config"]["layers"].append({"class_name": "Lambda", "config": KERAS_2_LAMBDA})
    for path in (new, with_config(saved, old)):
        with pytest.raises(MissingCodeError, match="holds the Lambda layer 'l'"):
            read_config(path)
        with granting(Grant(allow_lambda=True)):
            assert read_config(path)


def test_a_file_that_is_damaged_or_leads_elsewhere_or_asks_for_too_much_is_refused(saved, tmp_path):
    cut = tmp_path / "cut.h5"
    cut.write_bytes(saved.read_bytes()[:900])
    with pytest.raises(ModelError, match="cannot be read as an HDF5 file"):
        read_config(cut)
    large = json.loads(json.dumps(KERAS_2))
    large["config"]["layers"][1]["config"]["units"] = 10**9
    with pytest.raises(ModelError, match="describes more weights than it holds"):
        load_file(with_config(saved, large))
    with_config(saved, KERAS_2)
    with h5py.File(saved, "r+") as file:
        file["model_weights/elsewhere"] = h5py.ExternalLink("/etc/hostname", "/x")
    with pytest.raises(ModelError, match="links to another place"):
        load_file(saved)


def test_a_wrapper_that_pruning_left_is_to_be_stripped(saved):
    config = json.loads(json.dumps(KERAS_2))
    inner = config["config"]["layers"].pop()
    wrapper = {"name": "prune_low_magnitude_d", "layer": inner, "pruning_schedule": {}}
    config["config"]["layers"].append({"class_name": "PruneLowMagnitude", "config": wrapper})
    with pytest.raises(ModelError, match=r"wrapper for training(.|\n)*strip_pruning\(model\)"):
        sources.find(str(with_config(saved, config)), {}).load()

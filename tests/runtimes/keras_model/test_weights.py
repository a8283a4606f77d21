"""A `.keras` file takes no more memory than its weights have, whatever its configuration or its index says."""

import io
import json
import time
import zipfile

import h5py
import keras
import pytest

from kexport.errors import ModelError
from kexport.runtimes.keras_model import Grant, granting, load_file, weights

KERNEL = "layers/dense/vars/0"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "model.keras"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, name="d"), keras.layers.Dropout(0.5)]).save(path)
    return path


def changed(source, path, name, change):
    """The file with another content of one of its members."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        for each in old.namelist():
            content = old.read(each)
            new.writestr(each, change(content) if each == name else content)
    return path


def with_units(count):
    def change(content):
        config = json.loads(content)
        config["config"]["layers"][1]["config"]["units"] = count
        return json.dumps(config).encode()

    return change


def refusal(path):
    with pytest.raises(ModelError) as refused:
        load_file(path)
    assert path.name in str(refused.value)
    return str(refused.value)


def test_a_layer_that_would_need_more_than_the_file_holds_is_refused_before_it_takes_memory(saved, tmp_path):
    path = changed(saved, tmp_path / "m.keras", "config.json", with_units(10**9))
    text = refusal(path)
    assert "describes more weights than it holds" in text
    assert "--max-bytes" in text


def test_the_limit_can_be_raised(saved, tmp_path):
    path = changed(saved, tmp_path / "m.keras", "config.json", with_units(20_000_000))
    assert "more weights than it holds" in refusal(path)
    with granting(Grant(max_bytes=1 << 29)), pytest.raises(ModelError, match="cannot load"):
        load_file(path)  # it now fails where its weights do not fit


def test_a_configuration_that_is_nested_deeply_is_refused(saved, tmp_path):
    deep = b'{"a":' * 1000 + b"1" + b"}" * 1000
    assert "nested too deeply" in refusal(changed(saved, tmp_path / "m.keras", "config.json", lambda content: deep))


def test_weights_that_stand_for_more_than_is_there_are_refused(saved, tmp_path):
    def add(content):
        stream = io.BytesIO(content)
        with h5py.File(stream, "a") as file:
            file.create_dataset("bomb", (10**9,), dtype="f4", chunks=(1000,))
        return stream.getvalue()

    path = changed(saved, tmp_path / "m.keras", "model.weights.h5", add)
    assert "bytes of weights" in refusal(path)


@pytest.mark.parametrize("link", [h5py.ExternalLink("other.h5", "/"), h5py.SoftLink("/layers")])
def test_weights_that_lie_elsewhere_are_refused(saved, tmp_path, link):
    def add(content):
        stream = io.BytesIO(content)
        with h5py.File(stream, "a") as file:
            file["elsewhere"] = link
        return stream.getvalue()

    assert "links to another place" in refusal(changed(saved, tmp_path / "m.keras", "model.weights.h5", add))


@pytest.mark.parametrize("nested", [True, False])
def test_more_groups_than_any_model_has_take_no_time(saved, tmp_path, nested):
    def add(content):
        stream = io.BytesIO(content)
        with h5py.File(stream, "a") as file:
            group = file["layers"].id
            for number in range(2_000):
                made = h5py.h5g.create(group, b"%d" % number)
                group = made if nested else group
        return stream.getvalue()

    path = changed(saved, tmp_path / "m.keras", "model.weights.h5", add)
    began = time.process_time()
    load_file(path)
    assert time.process_time() - began < 5


def test_a_file_of_too_many_groups_is_refused(saved, tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "_MOST_OBJECTS", 3)
    assert "model.weights.h5 holds more than 3 groups and arrays" in refusal(saved)


def test_damaged_weights_are_an_error_that_names_the_file(saved, tmp_path):
    path = changed(saved, tmp_path / "m.keras", "model.weights.h5", lambda content: content[:100])
    assert "model.weights.h5 is damaged" in refusal(path)


def test_what_was_saved_is_loaded(saved):
    assert load_file(saved).count_params() == 40


def test_complex_weights_are_not_made_real(saved, tmp_path):
    def turned(content):
        stream = io.BytesIO(content)
        with h5py.File(stream, "a") as file:
            values = file[KERNEL][()]
            del file[KERNEL]
            file[KERNEL] = values * (1 + 2j)
        return stream.getvalue()

    assert "complex numbers for weights that are real" in refusal(
        changed(saved, tmp_path / "m.keras", "model.weights.h5", turned)
    )

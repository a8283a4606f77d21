"""Of two files that differ, the first place is told in the words of their format."""

import json
import shutil
import zipfile

import numpy as np
import onnx
import pytest

from conftest import REFERENCE
from kexport.bundle import npz
from kexport.factory.repetition.first_difference import first_difference

LOWPASS = REFERENCE / "lowpass"


@pytest.fixture
def pair(tmp_path):
    """Two copies of a file of the reference bundle, given its name."""

    def copies(name):
        return [shutil.copyfile(LOWPASS / name, tmp_path / f"{side}.{name}") for side in ("one", "other")]

    return copies


@pytest.mark.parametrize("name", ["manifest.json", "model.keras", "model.onnx", "model.tflite", "goldens.npz"])
def test_the_same_bytes_have_no_difference(pair, name):
    assert first_difference(*pair(name)) is None


def test_an_entry_of_json_is_told_by_its_path(pair):
    one, other = pair("manifest.json")
    data = json.loads(other.read_text())
    data["artifacts"][1]["bytes"] += 1
    other.write_text(json.dumps(data, indent=2) + "\n")
    size = data["artifacts"][1]["bytes"]
    assert first_difference(one, other) == f"artifacts[1].bytes: {size} instead of {size - 1}"


def test_json_in_another_layout_is_told_by_its_bytes(pair):
    one, other = pair("manifest.json")
    other.write_text(json.dumps(json.loads(other.read_text())))
    assert first_difference(one, other).startswith("byte 1: ")


def test_an_element_of_an_array_is_told_by_its_index(tmp_path):
    one, other = tmp_path / "one.npz", tmp_path / "other.npz"
    values = np.arange(6.0).reshape(2, 3)
    npz.write(one, {"0/truth/y": values})
    changed = values.copy()
    changed[1, 2] = 7.0
    npz.write(other, {"0/truth/y": changed})
    assert first_difference(one, other) == "0/truth/y.npy[1, 2]: 7.0 instead of 5.0"
    npz.write(other, {"0/truth/y": values.astype("float32")})
    assert first_difference(one, other) == "0/truth/y.npy: 'float32[2, 3]' instead of 'float64[2, 3]'"


def test_an_initializer_of_onnx_is_told_by_its_name(pair):
    one, other = pair("model.onnx")
    model = onnx.load(other)
    name = model.graph.initializer[0].name
    model.graph.initializer[0].name = "another"
    onnx.save(model, other)
    assert f"initializer[0 {name!r}].name: 'another' instead of {name!r}" in first_difference(one, other)


def test_a_tensor_of_tflite_is_told_by_its_subgraph(pair):
    from tensorflow.lite.tools import flatbuffer_utils

    one, other = pair("model.tflite")
    model = flatbuffer_utils.read_model(str(other))
    model.subgraphs[0].tensors[1].name = b"another"
    other.write_bytes(flatbuffer_utils.convert_object_to_bytearray(model))
    told = first_difference(one, other)
    assert told.startswith("subgraphs[0")
    assert ".tensors[1 " in told


def test_the_date_of_a_member_of_an_archive_is_a_difference(pair):
    one, other = pair("model.keras")
    with zipfile.ZipFile(one) as source, zipfile.ZipFile(other, "w") as archive:
        for entry in source.infolist():
            archive.writestr(zipfile.ZipInfo(entry.filename, (2024, 2, 29, 12, 0, 0)), source.read(entry))
    assert first_difference(one, other).startswith("index[0][1][0]: 2024 instead of ")


@pytest.mark.parametrize("name", ["manifest.json", "model.keras", "model.onnx", "model.tflite", "goldens.npz"])
def test_a_damaged_file_is_told_by_its_bytes(pair, name):
    one, other = pair(name)
    other.write_bytes(other.read_bytes()[:50])
    assert first_difference(one, other) == f"50 bytes instead of {one.stat().st_size}, alike up to byte 50"

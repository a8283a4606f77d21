import json
import shutil

import pytest

from conftest import REFERENCE
from kexport.bundle import manifest
from kexport.bundle.folder import Bundle
from kexport.errors import BundleError


def refusal(folder, change):
    shutil.copy(REFERENCE / "lowpass" / manifest.FILE_NAME, folder)
    path = folder / manifest.FILE_NAME
    content = json.loads(path.read_text())
    change(content["goldens"]["limits"])
    path.write_text(json.dumps(content))
    with pytest.raises(BundleError) as refused:
        manifest.read(folder)
    return str(refused.value)


@pytest.mark.parametrize(
    ("change", "got"),
    [
        (lambda limits: limits.clear(), "no limit"),
        (lambda limits: limits.append({**limits[0], "output": "other"}), "filtered, other"),
        (lambda limits: limits.append(limits[0]), "filtered, filtered"),
        (lambda limits: limits[0].update(output="other"), "other"),
    ],
    ids=["none", "one too many", "twice", "another name"],
)
def test_each_output_has_one_limit_in_the_order_of_the_outputs(tmp_path, change, got):
    text = refusal(tmp_path, change)
    assert "one limit for each output" in text
    assert f"got:      {got}\n" in text
    assert "expected: filtered\n" in text


@pytest.mark.parametrize("path", ["model.onnx", "./model.onnx", "model.onnx/"])
def test_an_artifact_that_is_listed_twice_is_refused(tmp_path, path):
    content = json.loads((REFERENCE / "lowpass" / manifest.FILE_NAME).read_text())
    onnx = next(each for each in content["artifacts"] if each["path"] == "model.onnx")
    content["artifacts"].append({**onnx, "path": path})
    (tmp_path / manifest.FILE_NAME).write_text(json.dumps(content))
    with pytest.raises(BundleError, match="lists an artifact twice"):
        manifest.read(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"limit": -1},
        {"limit": 1e300, "scale": 1e300},
        {"scale": 0},
        {"floor": 1e308},  # twice of which is no number
    ],
    ids=str,
)
def test_a_limit_that_bounds_nothing_is_refused(tmp_path, change):
    assert "invalid limit for output 'filtered'" in refusal(tmp_path, lambda limits: limits[0].update(change))


@pytest.mark.parametrize("key", ["limit", "scale", "floor", "decibels"])
@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_a_limit_that_is_not_finite_is_refused_by_its_place(tmp_path, key, value):
    text = refusal(tmp_path, lambda limits: limits[0].update({key: value}))
    assert f"got:      {value} in goldens.limits[0].{key}\n" in text


def test_a_ratio_beyond_all_precision_is_refused(tmp_path):
    assert "goldens.limits[0].decibels" in refusal(tmp_path, lambda limits: limits[0].update(decibels=-1e6))
    assert "goldens.limits[0].decibels" in refusal(tmp_path, lambda limits: limits[0].update(decibels=0))


@pytest.mark.parametrize("value", ["wide", None, [], {}])
def test_a_limit_that_is_no_number_is_refused(tmp_path, value):
    refusal(tmp_path, lambda limits: limits[0].update(limit=value))


def test_limits_in_another_order_than_the_outputs_are_refused(tmp_path):
    shutil.copy(REFERENCE / "lowpass" / manifest.FILE_NAME, tmp_path)
    path = tmp_path / manifest.FILE_NAME
    content = json.loads(path.read_text())
    (output,), (limit,) = content["signature"]["outputs"], content["goldens"]["limits"]
    content["signature"]["outputs"] = [{**output, "name": name} for name in ("a", "b")]
    content["goldens"]["limits"] = [{**limit, "output": name} for name in ("b", "a")]
    path.write_text(json.dumps(content))
    with pytest.raises(BundleError, match="in their order"):
        manifest.read(tmp_path)


def test_a_promise_that_is_stated_again_is_one_promise(tmp_path):
    shutil.copy(REFERENCE / "regularized" / manifest.FILE_NAME, tmp_path)
    path = tmp_path / manifest.FILE_NAME
    content = json.loads(path.read_text())
    promise = {"kind": "finite", "params": {}, "inputs": [], "outputs": [], "layer": ""}
    other = {**promise, "layer": "dense"}
    content["contracts"] = [promise, other, promise] * 1000
    path.write_text(json.dumps(content))
    assert [each.to_json() for each in manifest.read(tmp_path).contracts] == [promise, other]


def test_a_declared_size_lifts_no_limit(tmp_path):
    folder = shutil.copytree(REFERENCE / "lowpass", tmp_path / "b")
    honest = Bundle.open(folder).artifact_bytes
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    assert honest == sum(artifact["bytes"] for artifact in content["artifacts"])
    for artifact in content["artifacts"]:
        artifact["bytes"] = 10**15
    path.write_text(json.dumps(content))
    assert Bundle.open(folder).artifact_bytes == honest
    (folder / content["artifacts"][0]["path"]).unlink()
    assert 0 < Bundle.open(folder).artifact_bytes < honest

import functools
import json
import os
import re
import sys
from typing import Any

import keras
import numpy as np
import pytest

import kexport
from kexport.errors import ExportError
from kexport.factory.exports import Exports
from kexport.factory.formats import Format
from kexport.factory.request import Conversion
from kexport.factory.trace.program import trace
from kexport.process import Worker

CONVERTERS = """
import os, time
def dying(**task): os.kill(os.getpid(), 11); yield
def hanging(**task): time.sleep(60); yield
def wrong(**task): {}["a missing key"]; yield
"""


@pytest.fixture(scope="module")
def model():
    """A model that ONNX and TFLite both refuse: it works on strings."""
    text = keras.Input((), dtype="string", name="text")
    return keras.Model(text, keras.layers.Hashing(8, name="buckets")(text), name="hashed")


class Mine(keras.layers.Layer):
    def call(self, x):
        return x * 2.0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dying", "SIGSEGV"),
        ("hanging", "longer than 1 s"),
        ("wrong", "KeyError: 'a missing key' ("),
        ("wrong", "converters.py:5, from kexport/service.py:"),
        ("wrong", "a bug in kexport: please report"),
    ],
)
def test_a_converter_that_crashes_or_hangs_is_an_error_with_a_name(tmp_path, monkeypatch, name, words):
    (tmp_path / "converters.py").write_text(CONVERTERS)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    inputs = keras.Input((2,), name="x")
    program = trace(keras.Model(inputs, keras.layers.Dense(1, name="y")(Mine(name="mine")(inputs))))
    form = Format("fragile", "model.fragile", "", 99, converter=f"converters:{name}")
    folder = tmp_path / "bundle"
    folder.mkdir()
    patience = 1 if name == "hanging" else 60
    exports = Exports(program, [form], folder, Conversion(timeout=patience))
    worker = Worker()
    exports.start([worker])
    with pytest.raises(ExportError, match="fragile") as caught:
        exports.finish(lambda step: None)
    worker.close()
    assert words in str(caught.value)
    assert "leave fragile out (--formats keras,saved_model)" in str(caught.value)
    named = re.search(
        r"code of your own in it: layer 'mine' \(Mine\), \S*test_exports.py:\d+$", str(caught.value), re.M
    )
    assert (named is not None) is (name != "wrong")
    assert caught.value.exit_code == 1


def test_a_writer_that_fails_tells_where_unless_the_model_is_to_blame(tmp_path):
    inputs = keras.Input((2,), name="x")
    program = trace(keras.Model(inputs, keras.layers.Dense(1, name="y")(inputs)))
    writers: dict[str, Any] = {
        r"ZeroDivisionError.*test_exports.py:\d+\)$": _unwritable,
        "bug in kexport": _misused,
    }
    for words, write in writers.items():
        form = Format("fragile", "model.fragile", "", 99, writer=write)
        exports = Exports(program, [form], tmp_path, Conversion(timeout=1))
        with pytest.raises(ExportError) as caught:
            exports.write(lambda step: None)
        assert re.search(words, str(caught.value), re.MULTILINE)
        assert ("bug in kexport" in str(caught.value)) is (write is _misused)


def _unwritable(program, target):
    return {"here": 1 / 0}


#: Raises in NumPy, called by no code of the user's.
_misused = functools.partial(np.linspace, num=-1)


def test_a_refusal_names_layer_operation_and_ways_out_and_writes_nothing(model, tmp_path):
    with pytest.raises(ExportError) as caught:
        kexport.build(model, tmp_path / "b", formats=["keras", "onnx"])
    for words in ("onnx", "StringToHashBucketFast", "'buckets' (Hashing)", "hint", "preprocessing"):
        assert words in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_keep_going_builds_the_rest_records_the_refusal_and_does_not_pass(model, tmp_path):
    bundle = kexport.build(model, tmp_path / "b", formats=["keras", "onnx", "saved_model"], keep_going=True)
    assert not bundle.passed
    assert bundle.path.name == "b.rejected"
    assert bundle.report.exit_code == 1
    assert {artifact.format for artifact in bundle.manifest.artifacts} == {"keras", "saved_model"}
    assert "StringToHashBucketFast" in bundle.manifest.refused["onnx"]
    (failed,) = [check for check in bundle.report.checks if not check.passed]
    assert (failed.kind, failed.artifact) == ("export", "model.onnx")
    assert {check.runtime for check in bundle.report.checks if check.kind == "parity"} == {"keras", "saved_model"}
    assert "refused" in json.loads((bundle.path / "manifest.json").read_text())


def test_the_opset_is_a_choice(tmp_path):
    bundle = kexport.build("scaled", tmp_path / "b", formats=["onnx"], opset=15)
    assert bundle.passed
    assert bundle.manifest.artifacts[0].details["opset"]["ai.onnx"] == 15
    with pytest.raises(kexport.KexportError, match="opset"):
        kexport.build("scaled", tmp_path / "c", formats=["onnx"], opset=99)


def test_where_every_format_refuses_the_reason_of_each_is_told_without_the_option_that_was_given(model, tmp_path):
    with pytest.raises(ExportError) as caught:
        kexport.build(model, tmp_path / "out", formats=("onnx", "tflite"), keep_going=True)
    text = str(caught.value)
    assert text.startswith("the model can be written in none of the formats onnx, tflite")
    assert re.search(r"onnx: .*buckets(.|\n)*tflite: .*buckets(.|\n)*leave onnx out(.|\n)*leave tflite out", text)
    assert "--keep-going" not in text
    assert caught.value.exit_code == 1
    assert not [*tmp_path.iterdir()]

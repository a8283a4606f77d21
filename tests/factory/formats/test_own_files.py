"""A converter that writes what no device may load ends the build, with the blame where it belongs."""

import traceback

import numpy as np
import onnx
import pytest
import tensorflow as tf
from onnx import helper, numpy_helper

from kexport.errors import ArtifactError, ExportError
from kexport.factory.formats import tflite
from kexport.factory.formats._own_files import UnsoundFileError, require_own_sound
from kexport.factory.formats._tflite_signature import use_public_names
from kexport.factory.internal_error import fault
from kexport.runtimes.soundness import require_sound_onnx, require_sound_tflite


@pytest.mark.parametrize(
    ("name", "check"), [("model.tflite", require_sound_tflite), ("model.onnx", require_sound_onnx)]
)
def test_an_unsound_file_is_told_as_a_bug_to_report_and_never_as_one_to_copy(reference, name, check):
    path = reference / name
    require_own_sound(path, check)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UnsoundFileError, match=r"is not a sound \w+ file: .*got .*expected ") as raised:
        require_own_sound(path, check)
    trace = "".join(traceback.format_exception(raised.value))  # as a worker hands it over
    told = fault("the converter failed", trace, "leave it out")
    assert isinstance(told, ExportError)
    assert "bug in kexport: please report" in str(told)
    assert "copy" not in str(told)


def test_a_converter_that_writes_one_ends_the_build(converted, monkeypatch):
    def damage(model, signature, in_order=True):
        use_public_names(model, signature, in_order)
        model.subgraphs[0].operators[0].inputs[0] = 99

    monkeypatch.setattr(tflite, "use_public_names", damage)
    with pytest.raises(UnsoundFileError, match="99"):
        converted(tf.nn.relu, "tflite", np.ones((2, 3), "float32"))


def test_sizes_are_not_judged(tmp_path):
    """What a model may take is up to those who load it."""
    size = numpy_helper.from_array(np.array([1 << 40], "int64"), "size")
    nodes = [helper.make_node("ConstantOfShape", ["size"], ["many"]), helper.make_node("Shape", ["many"], ["y"])]
    outputs = [helper.make_tensor_value_info("y", onnx.TensorProto.INT64, [1])]
    model = helper.make_model(
        helper.make_graph(nodes, "g", [], outputs, [size]), opset_imports=[helper.make_opsetid("", 17)]
    )
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(ArtifactError):
        require_sound_onnx(tmp_path / "model.onnx")
    require_own_sound(tmp_path / "model.onnx", require_sound_onnx)

"""Files that hold several functions: each is compared, by the names of its signature."""

import copy
from typing import Any

import flatbuffers
import numpy as np
import pytest

import kexport
from conftest import REFERENCE
from kexport.bundle.signature import Signature
from kexport.errors import UsageError
from kexport.field.comparison.shared_functions import SharedFunctions
from kexport.field.inspection import DeclaredFunction, describe
from kexport.runtimes.files import tflite

LOWPASS = REFERENCE / "lowpass" / "model.tflite"


def with_two(path, scale, names=("slow", "fast")):
    """The low-pass twice in one file, the second time with other weights, under names of their own."""
    model: Any = tflite.parse(LOWPASS.read_bytes())
    types: Any = tflite.schema().TensorType
    second, signature = copy.deepcopy(model.subgraphs[0]), copy.deepcopy(model.signatureDefs[0])
    for tensor in second.tensors:
        data = model.buffers[tensor.buffer].data
        if tensor.type == types.FLOAT32 and data is not None and len(data):
            buffer = copy.deepcopy(model.buffers[tensor.buffer])
            buffer.data = (np.asarray(data, np.uint8).view("float32") * np.float32(scale)).view("uint8")
            model.buffers.append(buffer)
            tensor.buffer = len(model.buffers) - 1
    model.subgraphs.append(second)
    signature.subgraphIndex = 1
    model.signatureDefs.append(signature)
    for each, name in zip(model.signatureDefs, names, strict=True):
        each.signatureKey = name
        each.inputs[0].name, each.outputs[0].name = f"{name}_in", f"{name}_out"
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path


def outcomes(report):
    return {(check.artifact, check.output): check.passed for check in report.checks if check.kind == "parity"}


def test_files_that_differ_in_one_of_two_signatures_are_not_identical(tmp_path):
    one, other = with_two(tmp_path / "a.tflite", 1), with_two(tmp_path / "b.tflite", 3)
    report = kexport.compare(one, other, search="20")
    assert outcomes(report) == {("b.tflite:slow", "slow_out"): True, ("b.tflite:fast", "fast_out"): False}
    assert any(note.startswith("b.tflite:slow: identical") for note in report.notes)
    alone = kexport.compare(one, other, search="20", signature="slow")
    assert alone.passed
    assert outcomes(alone) == {("b.tflite", "slow_out"): True}


def test_a_function_that_the_other_file_lacks_fails_and_an_added_one_is_noted(tmp_path):
    both, renamed = with_two(tmp_path / "a.tflite", 1), with_two(tmp_path / "b.tflite", 1, ("slow", "faster"))
    report = kexport.compare(both, renamed, search="20")
    (missing,) = [check for check in report.checks if not check.passed]
    assert "B lacks the signature 'fast' of A" in str(missing.facts[0])
    assert "A lacks the signature 'faster' of B, which was not compared" in report.notes
    with pytest.raises(UsageError, match="neither A nor B has a signature 'none'"):
        kexport.compare(both, renamed, signature="none")


def test_inspection_tells_every_signature_with_dtypes_of_outputs(tmp_path):
    declaration = describe(with_two(tmp_path / "a.tflite", 1)).declaration
    assert [each.signature.name for each in declaration.functions] == ["slow", "fast"]
    assert [str(each.signature.outputs[0]) for each in declaration.functions] == ["float32 (?, ?)"] * 2
    assert all(each.stated for each in declaration.functions)


def test_the_only_function_of_a_file_is_paired_whatever_its_name():
    def functions(*names):
        return [DeclaredFunction(Signature((), (), name)) for name in names]

    def names(a, b):
        return [
            (one.signature.name, other.signature.name)
            for one, other in SharedFunctions.of(functions(*a), functions(*b)).pairs
        ]

    assert names([""], ["main"]) == [("", "main")]
    assert names([""], ["train", "serving_default"]) == [("", "serving_default")]
    with pytest.raises(UsageError, match="no signature of A has the name of one of B"):
        SharedFunctions.of(functions("infer"), functions("encode", "decode"))

"""A TFLite file holds nothing that no runtime needs: one empty buffer, and the codes of its operators."""

from typing import Any

import keras
import numpy as np
import pytest

import kexport
from kexport.runtimes.files import tflite


@pytest.mark.parametrize("precision", ["float32", "dynamic", "int8"])
def test_a_file_has_one_empty_buffer_and_no_code_without_an_operator(tmp_path, precision):
    steps = keras.Input((9, 6), name="steps")
    model = keras.Model(steps, keras.layers.Dense(10)(keras.layers.GRU(8)(steps)))
    samples = {"steps": np.random.default_rng(0).normal(size=(40, 9, 6)).astype("float32")}
    bundle = kexport.build(model, tmp_path / "b", formats=["tflite"], precision=[precision], samples=samples)
    assert bundle.passed
    file: Any = tflite.parse((bundle.path / bundle.manifest.artifacts[-1].path).read_bytes())
    assert [index for index, buffer in enumerate(file.buffers) if buffer.data is None] == [0]
    assert {operator.opcodeIndex for graph in file.subgraphs for operator in graph.operators} == {
        *range(len(file.operatorCodes))
    }

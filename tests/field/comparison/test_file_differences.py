"""Files of one graph whose constants differ, where no input shows it."""

from typing import Any

import flatbuffers
import numpy as np
import onnx
import pytest
from onnx import helper

import kexport
import onnx_models as models
from conftest import REFERENCE
from kexport.runtimes.files import tflite, tflite_graph
from kexport.runtimes.files.onnx_graph import graph as onnx_graph
from kexport.runtimes.files.stored_graph import differing_parts

node = helper.make_node


def guarded(path, factor, spare=0.0, operator="Relu", name="factor"):
    """What answers only far beyond any input that is tried; `spare` is a constant that nothing takes."""
    nodes = [
        node("Sub", ["x", "level"], ["above"]),
        node(operator, ["above"], ["kept"]),
        node("Clip", ["kept", "low", "high"], ["clipped"]),
        node("Mul", ["clipped", name], ["scaled"]),
        node("Add", ["x", "scaled"], ["y"]),
    ]
    sizes = ("x", models.FLOAT, ["n", 4]), ("y", models.FLOAT, ["n", 4])
    scalars = {"level": 1e9, "low": 0.0, "high": 1.0, name: factor, "spare": spare}
    constants = {key: np.array(value, "float32") for key, value in scalars.items()}
    return models.save(path, nodes, [sizes[0]], [sizes[1]], **constants)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"factor": 1.1}, "constant factor"), ({"factor": 1.0, "operator": "Softplus"}, "operator Relu")],
)
def test_a_part_that_no_input_shows_is_not_checked(tmp_path, change, said):
    one, other = guarded(tmp_path / "a.onnx", 1.0), guarded(tmp_path / "b.onnx", **change)
    report = kexport.compare(one, other, search="20")
    assert report.exit_code == 3
    (told,) = [check for check in report.checks if check.kind == "parity"]
    assert said in str(told.facts[0])
    assert "--samples" in str(told.facts[0])
    assert not any("identical" in str(note) for note in report.notes)


@pytest.mark.parametrize("change", [{"spare": 1.0}, {"name": "other"}], ids=["unused", "renamed"])
def test_what_no_output_depends_on_does_not_count(tmp_path, change):
    one, other = guarded(tmp_path / "a.onnx", 1.0), guarded(tmp_path / "b.onnx", 1.0, **change)
    report = kexport.compare(one, other, search="20")
    assert report.passed
    assert any("identical" in str(note) for note in report.notes)


def test_a_constant_within_a_branch_is_found(tmp_path):
    for name, value in (("a", 1.0), ("b", 2.0)):
        bodies = {}
        for branch, number in (("then_branch", 1.0), ("else_branch", value)):
            constant = helper.make_tensor("c", models.FLOAT, [], [number])
            body = [node("Constant", [], [f"{branch}c"], value=constant), node("Mul", ["x", f"{branch}c"], [branch])]
            result = [helper.make_tensor_value_info(branch, models.FLOAT, ["n", 4])]
            bodies[branch] = helper.make_graph(body, branch, [], result)
        nodes = [
            node("ReduceMax", ["x"], ["most"], keepdims=0),
            node("Less", ["most", "level"], ["low"]),
            node("If", ["low"], ["y"], **bodies),
        ]
        sizes = ("x", models.FLOAT, ["n", 4]), ("y", models.FLOAT, ["n", 4])
        models.save(tmp_path / f"{name}.onnx", nodes, [sizes[0]], [sizes[1]], level=np.array(1e9, "float32"))
    one, other = onnx_graph(tmp_path / "a.onnx"), onnx_graph(tmp_path / "b.onnx")
    assert one is not None
    assert other is not None
    assert differing_parts(one, other) == {"y": ["constant else_branchc"]}


def test_a_weight_beside_an_onnx_file_is_found(tmp_path):
    graphs = []
    for name, scale in (("a", 1), ("b", 3)):
        (tmp_path / name).mkdir()
        path = models.linear(tmp_path / name / "m.onnx", scale * models.WEIGHTS)
        onnx.save(onnx.load(path), path, save_as_external_data=True, location="m.bin", size_threshold=0)
        graphs.append(onnx_graph(path))
    assert [len(parts) for parts in differing_parts(*graphs).values()] == [1]


def test_a_constant_and_a_scale_of_a_tflite_file_are_found(tmp_path):
    path = REFERENCE / "lowpass" / "model.tflite"
    found = []
    for place in ("constant", "scale"):
        model: Any = tflite.parse(path.read_bytes())
        graph = model.subgraphs[0]
        tensor = next(each for each in graph.tensors if model.buffers[each.buffer].data is not None)
        if place == "constant":
            model.buffers[tensor.buffer].data[-1] ^= 1
        else:
            computed = graph.tensors[graph.operators[0].outputs[0]]
            computed.quantization = tflite.schema().QuantizationParametersT()  # type: ignore[attr-defined]
            computed.quantization.scale, computed.quantization.zeroPoint = [0.5], [0]
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        other = tmp_path / f"{place}.tflite"
        other.write_bytes(bytes(builder.Output()))
        one, two = tflite_graph.graph(path), tflite_graph.graph(other)
        assert one is not None
        assert two is not None
        found += list(differing_parts(one, two).values())
    assert [parts[0].split()[0] for parts in found] == ["constant", "scale"]


def test_damaged_files_tell_nothing(tmp_path):
    path = tmp_path / "m.tflite"
    path.write_bytes(b"\x18\x00\x00\x00TFL3" + bytes(40))
    assert tflite_graph.graph(path) is None or not tflite_graph.graph(path).steps
    (tmp_path / "m.onnx").write_bytes(b"\x3a\xff\x00\x01")
    assert onnx_graph(tmp_path / "m.onnx") is None

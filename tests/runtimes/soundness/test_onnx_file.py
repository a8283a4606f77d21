from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper

from kexport.bundle.folder import Bundle
from kexport.errors import ArtifactError
from kexport.runtimes import get
from kexport.runtimes.soundness import require_sound_onnx

REFERENCES = Path(__file__).parents[3] / "artifacts" / "reference"
LOWPASS = REFERENCES / "lowpass" / "model.onnx"


def written(tmp_path: Path, change: Callable[[ModelProto], object]) -> Path:
    """The model of `lowpass` after a change."""
    model = onnx.load(LOWPASS)
    change(model)
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("name", ["lowpass", "regularized", "scaled"])
def test_an_onnx_file_that_was_built_is_sound(name: str) -> None:
    require_sound_onnx(REFERENCES / name / "model.onnx")


def weights_at(location: str, **numbers: int) -> Callable[[ModelProto], object]:
    """Let the first weights lie in another file."""

    def change(model: ModelProto) -> None:
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in {"location": location, **numbers}.items():
            tensor.external_data.add(key=key, value=str(value))

    return change


def nested(depth: int) -> Callable[[ModelProto], object]:
    """Add graphs within graphs."""

    def change(model: ModelProto) -> None:
        graph = helper.make_graph([], "innermost", [], [])
        for _ in range(depth):
            node = helper.make_node("If", ["signal"], [], then_branch=graph, else_branch=onnx.GraphProto())
            graph = helper.make_graph([node], "around", [], [])
        model.graph.node.append(graph.node[0])

    return change


def functions(calls: dict[str, list[str]]) -> Callable[[ModelProto], object]:
    """Add functions, of which the first is called, and each calls others."""

    def change(model: ModelProto) -> None:
        imports = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]
        for name, called in calls.items():
            nodes = [helper.make_node(other, ["a"], [f"b{at}"], domain="own") for at, other in enumerate(called)]
            model.functions.append(helper.make_function("own", name, ["a"], ["b0"], nodes, imports))
        model.opset_import.append(imports[1])
        model.graph.node.append(helper.make_node(next(iter(calls)), ["signal"], ["unused"], domain="own"))

    return change


CHANGES: dict[str, tuple[Callable[[ModelProto], object], str]] = {
    "a gap in a list": (lambda m: m.graph.node.append(helper.make_node("Max", ["a", ""], ["b"])), "it is left out"),
    "an axis out of reach": (
        lambda m: m.graph.node.append(helper.make_node("GatherND", ["a", "b"], ["c"], batch_dims=-(1 << 62))),
        "the attribute batch_dims",
    ),
    "a size below zero": (lambda m: m.graph.initializer[0].dims.append(-1), "the shape of the tensor"),
    "a huge size": (lambda m: m.graph.initializer[0].dims.append(1 << 40), "the shape of the tensor"),
    "a matrix of nothing": (lambda m: m.graph.initializer[0].dims.append(0), "at least one element"),
    "a type of no kind": (lambda m: setattr(m.graph.initializer[0], "data_type", 0), "the type of the tensor"),
    "weights above the folder": (weights_at("../weights"), "a file beside the model"),
    "weights of the system": (weights_at("/etc/passwd"), "its path is not relative"),
    "weights in memory": (weights_at("*/_ORT_MEM_ADDR_/*", offset=4096, length=64), "names memory of ONNX Runtime"),
    "weights that are not there": (weights_at("weights"), "a file beside the model"),
    "weights beyond the end": (weights_at("model.onnx", offset=64, length=1 << 40), "a part of"),
    "weights before the begin": (weights_at("model.onnx", offset=-64, length=64), "whole numbers"),
    "graphs within graphs": (nested(20), "deep"),
    "functions in a circle": (functions({"A": ["B"], "B": ["A"]}), "call each other in a circle"),
    "functions that grow": (functions({f"L{n}": [f"L{n + 1}"] * 2 for n in range(30)} | {"L30": []}), "in place"),
    "two functions of one name": (
        lambda m: [functions({"A": []})(m), m.functions.append(m.functions[0])],
        "two of the name 'A'",
    ),
    "no graph": (lambda m: m.ClearField("graph"), "the number of graphs"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_part_of_an_onnx_file_that_would_crash_the_runtime_is_refused_by_name(name: str, tmp_path: Path) -> None:
    change, place = CHANGES[name]
    with pytest.raises(ArtifactError, match="is not a sound ONNX file") as raised:
        require_sound_onnx(written(tmp_path, change))
    assert place in str(raised.value)


def test_graphs_in_graphs_are_sound_where_they_are_few(tmp_path: Path) -> None:
    require_sound_onnx(written(tmp_path, nested(5)))


def test_functions_that_call_each_other_now_and_then_are_sound(tmp_path: Path) -> None:
    require_sound_onnx(written(tmp_path, functions({"A": ["B", "C"], "B": ["C", "C"], "C": []})))


def test_a_field_that_the_runtime_would_take_for_another_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, lambda m: None)
    hidden = (7 << 3 | 2) + (1 << 32)  # of which the runtime's parser keeps 32 bits: the field of the graph
    tag = bytes([hidden & 127 | 128, 128, 128, 128, hidden >> 28 & 127])
    path.write_bytes(path.read_bytes() + tag + bytes([0]))
    with pytest.raises(ArtifactError, match="field 536870919"):
        require_sound_onnx(path)


def test_weights_beside_the_model_are_sound(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(bytes(128))
    require_sound_onnx(written(tmp_path, weights_at("weights", offset=64, length=64)))


def test_a_link_to_weights_outside_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    folder.mkdir()
    (tmp_path / "weights").write_bytes(bytes(128))
    (folder / "weights").symlink_to(tmp_path / "weights")
    with pytest.raises(ArtifactError, match="not a sound ONNX file"):
        require_sound_onnx(written(folder, weights_at("weights")))


def test_onnx_runtime_is_not_asked_about_an_unsound_file(tmp_path: Path) -> None:
    path = written(tmp_path, CHANGES["weights above the folder"][0])
    with pytest.raises(ArtifactError, match="not a sound ONNX file"):
        get("onnxruntime").open(path, Bundle.open(LOWPASS.parent).signature)


def test_bytes_that_are_set_at_random_are_refused_or_read_without_another_error(tmp_path: Path) -> None:
    content, path, refused = LOWPASS.read_bytes(), tmp_path / "model.onnx", 0
    draw = np.random.default_rng(7)
    for _ in range(300):
        mutated = bytearray(content)
        mutated[int(draw.integers(len(content)))] = int(draw.integers(256))
        path.write_bytes(mutated)
        try:
            require_sound_onnx(path)
        except ArtifactError:
            refused += 1
    assert 0 < refused < 300

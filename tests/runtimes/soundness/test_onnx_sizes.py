"""Constants that would take gigabytes, divide by zero or never end are refused by name, and their sound twins run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from kexport.bundle.signature import Signature, TensorSpec
from kexport.confinement import limits
from kexport.errors import ArtifactError, UncheckedError
from kexport.runtimes import get
from kexport.runtimes.soundness import require_sound_onnx

LEAST, HUGE = np.iinfo(np.int64).min, 1 << 30
X = TensorSpec("x", "float32", (None, 3))


def node(kind: str, inputs: str, output: str = "y", **attributes: Any) -> NodeProto:
    return helper.make_node(kind, inputs.split(" "), [output], name=f"the_{kind}", **attributes)


def written(path: Path, nodes: list[NodeProto], constants: dict[str, Any], functions: Any = ()) -> Path:
    """A model with the input `x` of 3 columns, and the output `out`: the sum of whatever `y` is."""
    last = [helper.make_node("Cast", ["y"], ["float"], to=TensorProto.FLOAT),
            helper.make_node("ReduceSum", ["float"], ["out"], keepdims=0)]  # fmt: skip
    graph = helper.make_graph(
        [*nodes, *last],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    imports = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=8, functions=functions)
    path.write_bytes(model.SerializeToString())
    return path


def floats(values: list[float]) -> Any:
    return np.array(values, np.float32)


def body(goes_on: list[NodeProto]) -> GraphProto:
    """The body of a loop that adds 1 to what it carries."""
    given = [("turn", TensorProto.INT64), ("on", TensorProto.BOOL), ("v", TensorProto.FLOAT)]
    return helper.make_graph(
        [*goes_on, node("Add", "v one", "w")],
        "body",
        [helper.make_tensor_value_info(name, kind, []) for name, kind in given],
        [helper.make_tensor_value_info(name, kind, []) for name, kind in (("next", given[1][1]), ("w", 1))],
    )


def filled(name: str) -> Any:
    """A function of that name, which calls ConstantOfShape."""
    inner = helper.make_node("ConstantOfShape", ["sizes"], ["made"])
    return helper.make_function("own", name, ["sizes"], ["made"], [inner], [helper.make_opsetid("", 18)])


SIZES = {"n": np.array([4])}
ONE, TRUE = {"one": np.float32(1)}, {"true": np.array(True)}
TURNS = [node("Identity", "on", "next")]
LIMITED = [node("Less", "turn most", "next")]
#: Nodes and constants of a sound model; constants that make it unsound, or nodes, and the words of the error.
CASES: dict[str, tuple[list[NodeProto], dict[str, Any], Any, str]] = {
    "a shape": ([node("ConstantOfShape", "n")], SIZES, {"n": np.array([HUGE])}, "the_ConstantOfShape"),
    "a shape that is computed": (
        [node("Mul", "n n", "m"), node("Concat", "m n", "s", axis=0), node("ConstantOfShape", "s")],
        SIZES, {"n": np.array([2048])}, "8589934592|2048"),
    "a shape that a function takes": (
        [helper.make_node("Filled", ["n"], ["y"], domain="own")], SIZES, {"n": np.array([HUGE])}, "ConstantOfShape"),
    "an input that is expanded": (
        [node("Expand", "x n")], {"n": np.array([1, 1])}, {"n": np.array([HUGE, 3])}, "Expand"),
    "repeats": ([node("Tile", "x n")], {"n": np.array([2, 1])}, {"n": np.array([HUGE, 1])}, "the_Tile"),
    "a range": (
        [node("Range", "a n b")], {"a": 0, "n": 4, "b": 1}, {"n": HUGE}, "the_Range"),
    "padding": ([node("Pad", "x n")], {"n": np.array([0, 1, 0, 1])}, {"n": np.array([0, HUGE, 0, 1])}, "the_Pad"),
    "scales": (
        [node("Resize", "x  n")], {"n": floats([1, 2])}, {"n": floats([1, HUGE])}, "the_Resize"),
    "sizes": (
        [node("Resize", "x   n")], {"n": np.array([2, 6])}, {"n": np.array([HUGE, 6])}, "the_Resize"),
    "classes": (
        [node("OneHot", "i n v")], {"i": np.array([1]), "n": 3, "v": floats([0, 1])}, {"n": HUGE}, "the_OneHot"),
    "what is multiplied out": (
        [node("ConstantOfShape", "n", "c"), node("Unsqueeze", "c a", "d"), node("Mul", "c d")],
        {"n": np.array([4]), "a": np.array([1])}, {"n": np.array([1 << 16])}, "the_Mul"),
    "a window beyond an image": (
        [node("Reshape", "x s", "i"), node("AveragePool", "i", kernel_shape=[3], pads=[1, 1])],
        {"s": np.array([1, 1, -1])},
        [node("Reshape", "x s", "i"), node("AveragePool", "i", kernel_shape=[1 << 62], pads=[1, 1])], "kernel_shape"),
    "a divisor": ([node("Div", "n d")], {"n": np.array([4]), "d": np.array([2])}, {"d": np.array([0])}, "the_Div"),
    "a divisor of what varies": (
        [node("Shape", "x", "n"), node("Mod", "n d")], {"d": np.array([2])}, {"d": np.array([0])}, "zero among"),
    "a divisor that is computed": (
        [node("Sub", "d d", "z"), node("Add", "z e", "f"), node("Div", "d f")],
        {"d": np.array([2]), "e": np.array([1])}, {"e": np.array([0])}, "zero among"),
    "a quotient that no integer is": (
        [node("Div", "n d")], {"n": np.array([LEAST]), "d": np.array([1])}, {"d": np.array([-1])}, "the least integer"),
    "a loop": (
        [node("Loop", "n true one", body=body(TURNS))], {"n": 3, **ONE, **TRUE}, {"n": 1 << 62}, "turns"),
    "a loop without a number of turns": (
        [node("Loop", " true one", body=body(LIMITED))], {"most": 3, **ONE, **TRUE},
        [node("Loop", " true one", body=body(TURNS))], "no condition that ends it"),
    "a loop whose number is none": (
        [node("Loop", "n true one", body=body(TURNS))], {"n": 3, **ONE, **TRUE},
        {"n": np.zeros(0, np.int64)}, "the number of turns"),
    "a graph that is not there": (
        [node("Loop", "n true one", body=body(TURNS))], {"n": 3, **ONE, **TRUE}, [node("Loop", "n true one")], "body"),
    "an input that must be there": (
        [node("LayerNormalization", "x s")], {"s": floats([1, 1, 1])},
        [node("LayerNormalization", "x s ")], "input 2"),
    "outputs of another number": (
        [helper.make_node("Split", ["x"], ["y", "z"], axis=1, num_outputs=2)], {},
        [helper.make_node("Split", ["x"], ["y", "z", "q"], axis=1, num_outputs=2)], "num_outputs"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_would_end_the_process_is_refused_by_name_and_its_sound_twin_runs(name: str, tmp_path: Path) -> None:
    nodes, constants, change, words = CASES[name]
    functions = [filled("Filled")] if "function" in name else []
    path = written(tmp_path / "model.onnx", nodes, constants, functions)
    signature = Signature((X,), (TensorSpec("out", "float32", ()),))
    assert np.isfinite(get("onnxruntime").open(path, signature)(np.ones((2, 3), np.float32)))
    nodes, constants = (change, constants) if isinstance(change, list) else (nodes, {**constants, **change})
    with pytest.raises(ArtifactError, match="is not a sound ONNX file") as raised:
        require_sound_onnx(written(path, nodes, constants, functions))
    assert any(word in str(raised.value) for word in words.split("|"))


@pytest.mark.parametrize(("name", "most"), [("n_targets", 1 << 20), ("num_outputs", 1 << 20), ("blocksize", 1 << 16)])
def test_attributes_that_count_elements_are_bounded(name: str, most: int, tmp_path: Path) -> None:
    for value in (most, most + 1):
        kind = helper.make_node("TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", **{name: value})
        path = written(tmp_path / "model.onnx", [kind], {}, [])
        if value == most:
            require_sound_onnx(path)
            continue
        with pytest.raises(ArtifactError, match=f"the attribute {name}"):
            require_sound_onnx(path)


def test_nodes_are_followed_in_the_order_in_which_they_run(tmp_path: Path) -> None:
    nodes = [node("ConstantOfShape", "m"), node("Add", "n n", "m")]
    with pytest.raises(ArtifactError, match="the_ConstantOfShape"):
        require_sound_onnx(written(tmp_path / "model.onnx", nodes, {"n": np.array([HUGE])}))


def test_a_limit_on_sizes_is_raised_by_the_user_and_by_the_size_of_the_inputs(tmp_path: Path) -> None:
    path = written(tmp_path / "model.onnx", [node("ConstantOfShape", "n")], {"n": np.array([HUGE >> 2])})
    signature = Signature((X,), (TensorSpec("out", "float32", ()),))
    with pytest.raises(ArtifactError, match="max_bytes raises that"):
        get("onnxruntime").open(path, signature)
    get("onnxruntime").open(path, signature, max_bytes=HUGE).close()


def filling(path: Path) -> Path:
    """A model that fills as many zeros as the first number of `x` says."""
    nodes = [node("Slice", "x a b", "s"), node("Cast", "s", "n", to=TensorProto.INT64),
             node("Reshape", "n c", "m"), node("ConstantOfShape", "m")]  # fmt: skip
    return written(path, nodes, {"a": np.array([0, 0]), "b": np.array([1, 1]), "c": np.array([1])})


def test_a_file_that_was_replaced_is_not_loaded_for_larger_inputs(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(limits, "_RUNTIME", 1 << 22)
    monkeypatch.setattr(limits, "_PER_CORE", 0)
    path = filling(tmp_path / "model.onnx")
    session = get("onnxruntime").open(path, Signature((X,), (TensorSpec("out", "float32", ()),)))
    written(tmp_path / "other", [node("Neg", "x")], {}).replace(path)
    with pytest.raises(ArtifactError, match="was replaced since it was loaded"):
        session(np.full((1 << 16, 3), 1 << 22, np.float32))
    path.unlink()
    with pytest.raises(ArtifactError, match="was replaced since it was loaded"):
        session(np.full((1 << 16, 3), 1 << 22, np.float32))
    assert session(np.full((1, 3), 1000, np.float32)) == 0


def test_a_call_takes_no_more_memory_than_follows_from_its_inputs(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(limits, "_RUNTIME", 1 << 22)
    monkeypatch.setattr(limits, "_PER_CORE", 0)
    path = filling(tmp_path / "model.onnx")
    session = get("onnxruntime").open(path, Signature((X,), (TensorSpec("out", "float32", ()),)))
    assert session(np.full((1, 3), 1000, np.float32)) == 0
    with pytest.raises(UncheckedError, match="more memory than"):
        session(np.full((1, 3), 1 << 22, np.float32))
    assert session(np.full((1, 3), 1000, np.float32)) == 0
    many = np.full((1 << 16, 3), 1 << 22, np.float32)  # 0.8 MB, for which a call may take 200
    assert session(many) == 0

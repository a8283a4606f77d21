"""What quick nodes and small tensors take together is told before ONNX Runtime computes any of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import onnx
import pytest

from kexport.bundle.signature import Signature, TensorSpec
from kexport.errors import ArtifactError
from kexport.runtimes import get
from kexport.runtimes.soundness import SoundOnnx, require_sound_onnx

HEAD = '<ir_version: 9, opset_import: ["": 20]>\n'
SIGNATURE = Signature((TensorSpec("x", "float32", (None, 3)),), (TensorSpec("y", "float32", ()),))


def model(path: Path, lines: Sequence[str], last: str, given: str = "float[N, 3] x") -> Path:
    """A file whose output is the sum of one of the tensors of its lines."""
    end = f"f = Cast <to = 1> ({last})\n y = ReduceSum <keepdims = 0> (f)"
    body = "\n ".join([*lines, end])
    path.write_bytes(onnx.parser.parse_model(f"{HEAD}g ({given}) => (float y) {{\n {body}\n}}").SerializeToString())
    return path


def constant(name: str, *sizes: int) -> list[str]:
    listed = ", ".join(map(str, sizes))
    return [f"{name}_s = Constant <value = int64[{len(sizes)}] {{{listed}}}> ()",
            f"{name} = ConstantOfShape ({name}_s)"]  # fmt: skip


def chain(start: str, step: str, count: int) -> list[str]:
    """Nodes of which each takes what the one before made; the last one makes `c`."""
    names = [start, *(f"c{at}" for at in range(count - 1)), "c"]
    return [step.format(made=made, taken=taken) for taken, made in pairwise(names)]


def text(name: str, length: int = 2) -> str:
    return f'{name} = Constant <value = string[1] {{"{"a" * length}"}}> ()'


MANY = [line for at in range(12) for line in constant(f"m{at}", 5000, 5000)]
SUM = "c = Sum (" + ", ".join(f"m{at}" for at in range(12)) + ")"
#: What depends on constants alone: the lines of a file, and what is said of it.
CONSTANT = {
    "many products": ([*constant("a", 8000, 8000), *chain("a", "{made} = MatMul ({taken}, a)", 9)], "about .* s up to"),
    "large windows": ([*constant("a", 1, 1, 2000, 2000),
                       "c = AveragePool <kernel_shape = [1500, 1500]> (a)"], "about .* s up to"),
    "many tensors": ([*MANY, SUM], "GB up to"),
    "texts that double": ([text("a"), *chain("a", "{made} = StringConcat ({taken}, {taken})", 40)], "the texts of"),
    "long texts that are repeated": (
        [text("a", 100_000), "n = Constant <value = int64[1] {100000}> ()", "c = Expand (a, n)"], "the texts of"),
}  # fmt: skip
LARGEST = "r = ReduceMax <keepdims = 0> (x)"
GIVEN = [LARGEST, "n = Cast <to = 7> (r)"]
MEL = ["m = Constant <value = int64 {8}> ()", "low = Constant <value = float {0.0}> ()",
       "high = Constant <value = float {8000.0}> ()", "c = MelWeightMatrix (m, n, m, low, high)"]  # fmt: skip
#: What depends on a call.
OF_CALL = {
    "many products": ([LARGEST, *constant("a", 8000, 8000), "b = Add (a, r)",
                       *chain("b", "{made} = MatMul ({taken}, b)", 9)], "MatMul"),
    "large windows": ([LARGEST, *constant("a", 1, 1, 2000, 2000), "b = Add (a, r)",
                       "c = LpPool <kernel_shape = [1000, 1000]> (b)"], "LpPool"),
    "texts that double": (["a = Cast <to = 8> (x)", *chain("a", "{made} = StringConcat ({taken}, {taken})", 40)],
                          "StringConcat"),
    "texts that are repeated": (["a = Cast <to = 8> (x)", "n = Constant <value = int64[2] {9, 9}> ()",
                                 "c = Tile (a, n)"], "Tile"),
    "the least integer, if it is given": (["i = Cast <to = 7> (x)", "m = Constant <value = int64 {-1}> ()",
                                           "c = Div (i, m)"], "Div"),
    "a window of a given length": ([*GIVEN, "c = HannWindow (n)"], "HannWindow"),
    "a matrix of a given size": ([*GIVEN, *MEL], "MelWeightMatrix"),
}  # fmt: skip
#: What takes little, and stays in the caller's process.
LITTLE = {
    "a product": [*constant("a", 3, 500), "c = MatMul (x, a)"],
    "a text that is joined": ["a = Cast <to = 8> (x)", "b = StringConcat (a, a)", "c = Equal (a, b)"],
    "a division": ["i = Cast <to = 7> (x)", "m = Constant <value = int64 {2}> ()", "c = Div (i, m)"],
    "a window of a known length": ["n = Constant <value = int64 {8}> ()", "c = HannWindow (n)"],
    "tensors of which each replaces the one before": [*constant("a", 10_000, 10_000),
                                                      *chain("a", "{made} = Identity ({taken})", 20)],
}  # fmt: skip


def found(path: Path) -> SoundOnnx:
    return require_sound_onnx(path)


@pytest.mark.parametrize("name", CONSTANT)
def test_what_constants_take_together_is_refused_before_the_runtime_computes_it(name: str, tmp_path: Path) -> None:
    lines, words = CONSTANT[name]
    last = "l" if lines[0].startswith("a = Constant") else "c"
    path = model(tmp_path / "model.onnx", lines if last == "c" else [*lines, "l = Equal (c, a)"], last)
    with pytest.raises(ArtifactError, match=words):
        get("onnxruntime").open(path, SIGNATURE)


@pytest.mark.parametrize("name", OF_CALL)
def test_what_a_call_may_take_too_long_or_too_much_for_is_named(name: str, tmp_path: Path) -> None:
    lines, kind = OF_CALL[name]
    if name.startswith("texts"):
        lines = [*lines, "l = Shape (c)"]
    path = model(tmp_path / "model.onnx", lines, "l" if name.startswith("texts") else "c")
    assert kind in found(path).decided_by_values


@pytest.mark.parametrize("name", LITTLE)
def test_what_takes_little_runs_where_it_is_called(name: str, tmp_path: Path) -> None:
    path = model(tmp_path / "model.onnx", LITTLE[name], "c")
    sound = found(path)
    assert sound.decided_by_values == ""
    assert sound.foldable


def test_constants_of_unknown_size_are_not_computed_while_a_file_is_loaded(tmp_path: Path) -> None:
    """Nothing is known of the parts of a Split, nor of what is made of them."""
    products = chain("b", "{made} = MatMul ({taken}, b)", 400)
    path = model(tmp_path / "model.onnx", [*constant("a", 4000, 2000), "b, rest = Split <num_outputs = 2> (a)",
                                           *products], "c")  # fmt: skip
    assert not found(path).foldable
    get("onnxruntime").open(path, SIGNATURE).close()  # a minute, if it were

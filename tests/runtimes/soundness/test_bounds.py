"""Which files run for as long, or take as much, as the values of a call say, and which as the sizes of inputs say."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from kexport.runtimes.soundness import require_sound_onnx, require_sound_tflite
from mutation_cases._tflite_notation import healthy

REFERENCES = Path(__file__).parents[3] / "artifacts" / "reference"
LOOP = """WHILE {first} x:f2 > i f2 | condSubgraphIndex=1 bodySubgraphIndex=2
INPUT n:i x:f2 ; {condition} > b
INPUT n:i x:f2 ; {turn} > i ; ADD x:f2 f1=1 > f2"""
COUNTED = {"first": "i=0", "condition": "LESS n:i i=3", "turn": "ADD n:i i=1"}


def loop(**parts: str) -> str:
    """A loop of three turns, or what other parts make of it."""
    return LOOP.format(**COUNTED | parts)


#: Files of TFLite, and the operator that values decide.
TFLITE = {
    "a counter up to a constant": (loop(), ""),
    "the other way around": (loop(condition="GREATER i=3 n:i"), ""),
    "one of two conditions": (
        loop(condition="LESS n:i i=3 > one:b ; REDUCE_ANY b2= i1=0 > two:b ; LOGICAL_AND two:b one:b"), ""),
    "a counter that doubles": (loop(first="i=1", turn="MUL n:i i=2"), ""),
    "a counter that doubles from zero": (loop(turn="MUL n:i i=2"), "WHILE"),
    "a counter that begins where the call says": (loop(first="n:i"), "WHILE"),
    "a counter that stays": (loop(turn="ADD n:i i=0"), "WHILE"),
    "a counter that turns back": (loop(turn="SUB n:i i=1"), "WHILE"),
    "too many turns": (loop(condition="LESS n:i i=2000000000"), "WHILE"),
    "until something else": (loop(condition="EQUAL n:i i=3"), "WHILE"),
    "until values do": (loop(condition="LESS x:f2 f2=3 > c:b2 ; REDUCE_ANY c:b2 i1=0"), "WHILE"),
    "either of two conditions": (
        loop(condition="LESS n:i i=3 > one:b ; REDUCE_ANY b2= i1=0 > two:b ; LOGICAL_OR two:b one:b"), "WHILE"),
    "sizes of the input": ("SHAPE f2 > s:i1 ; FILL s:i1 f=1 > f2", ""),
    "sizes of a call": ("FILL i1 f=1 > f2", "FILL"),
    "sizes that follow from the values": ("CAST x:f1 > s:i1 ; FILL s:i1 f=1 > f2", "FILL"),
    "sizes that are broadcast": ("BROADCAST_ARGS i2 i2=1,2 > i2", "BROADCAST_ARGS"),
    "repeats of a call": ("TILE f2,3 i2 > f4,3", "TILE"),
    "constant repeats": ("TILE f2,3 i2=2,1 > f4,3", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", TFLITE)
def test_what_values_of_a_call_decide_in_a_tflite_file_is_named(name: str, tmp_path: Path) -> None:
    notation, operator = TFLITE[name]
    path = tmp_path / "model.tflite"
    path.write_bytes(healthy(notation))
    found = require_sound_tflite(path)
    assert operator in found if operator else found == ""


MODEL = """<ir_version: 8, opset_import: ["" : 18, "own" : 1]>
main (float[n] x, int64 given) => (float[m] y)
<int64 zero = {{0}}, int64 three = {{3}}, int64 many = {{2000000000}}, int64 thousands = {{10000}}, bool true = {{1}}>
{{
  sizes = Shape (x)
  size = Squeeze (sizes)
  {before}
  y = Loop ({most}, true, x) <body = turn (int64 i, bool on, float[n] v) => (bool next, float[n] w) {{
    {goes_on}
    w = Add (v, v)
  }}>
}}
"""
CARRIED = """<ir_version: 8, opset_import: ["" : 18]>
main (float[n] x, int64 given) => (int64 last, float[n] y)
<int64 zero = {{0}}, int64 one = {{1}}, int64 three = {{3}}, bool true = {{1}}>
{{
  last, end, y = Loop ("", true, {first}, {limit}, x)
    <body = turn (int64 i, bool on, int64 n, int64 most, float[n] v) => (bool next, int64 m, int64 kept, float[n] w) {{
    m = Add (n, {step})
    a = Cast <to = 6> (m)
    b = Cast <to = 6> (most)
    next = Less (a, b)
    kept = {keeps} (most{more})
    w = Add (v, v)
  }}>
}}
"""
NESTED = """
    next = Identity (on)
    u = Loop (thousands, true, v) <body = inner (int64 j, bool go, float[n] p) => (bool further, float[n] q) {
      further = Identity (go)
      q = Add (p, p)
    }>
"""


def model(most: str = '""', goes_on: str = "next = Identity (on)", before: str = "") -> str:
    """A loop of a number of turns, or of a condition."""
    return MODEL.format(most=most, goes_on=goes_on, before=before)


def carried(
    first: str = "zero", limit: str = "three", step: str = "one", keeps: str = "Identity", more: str = ""
) -> str:
    """A loop that carries its counter and its limit."""
    return CARRIED.format(first=first, limit=limit, step=step, keeps=keeps, more=more)


SUM = "total = ReduceSum <keepdims = 0> (x)\n sum = Cast <to = 7> (total)"
NEGATIVE = "s = ReduceSum <keepdims = 0> (v)\n z = Cast <to = 1> (zero)\n next = Less (s, z)"

#: Files of ONNX, and whether values decide how long they run.
ONNX = {
    "a constant number of turns": (model("three"), False),
    "a size of the input": (model("size"), False),
    "what follows from a size": (model("twice", before="twice = Add (size, size)"), False),
    "a number of the call": (model("given"), True),
    "what follows from values": (model("sum", before=SUM), True),
    "the number of the turn up to a constant": (model(goes_on="next = Less (i, three)"), False),
    "up to a number of the call": (model(goes_on="next = Less (i, given)"), True),
    "one of two conditions": (model(goes_on="a = Less (i, three)\n b = Less (i, given)\n next = And (a, b)"), False),
    "either of two conditions": (model(goes_on="a = Less (i, three)\n b = Less (i, given)\n next = Or (a, b)"), True),
    "until values do": (model(goes_on=NEGATIVE), True),
    "too many turns": (model(goes_on="next = Less (i, many)"), True),
    "too many turns of a loop in a loop": (model("thousands", NESTED), True),
    "few turns of a loop in a loop": (model("three", NESTED), False),
    "a counter that is carried": (carried(), False),
    "a counter that begins where the call says": (carried(first="given"), True),
    "a limit that the call says": (carried(limit="given"), True),
    "a counter that stays": (carried(step="zero"), True),
    "a limit that moves": (carried(keeps="Add", more=", one"), True),
}  # fmt: skip


@pytest.mark.parametrize("name", ONNX)
def test_loops_of_an_onnx_file_whose_end_values_decide_are_named(name: str, tmp_path: Path) -> None:
    text, decided = ONNX[name]
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx.parser.parse_model(text).SerializeToString())
    found = require_sound_onnx(path).decided_by_values
    assert ("Loop" in found) if decided else found == ""


@pytest.mark.parametrize("path", sorted(REFERENCES.glob("*/*.tflite")) + sorted(REFERENCES.glob("*/*.onnx")), ids=str)
def test_nothing_in_the_reference_bundles_is_decided_by_values(path: Path) -> None:
    found = require_sound_tflite(path) if path.suffix == ".tflite" else require_sound_onnx(path).decided_by_values
    assert found == ""

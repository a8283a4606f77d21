"""Files of few operators whose operands do not fit each other, by the notation of the mutation run's templates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import interpreter as litert
from ai_edge_litert import schema_py_generated as schema

from kexport.errors import ArtifactError
from kexport.runtimes.soundness import require_sound_tflite
from mutation_cases._tflite_notation import healthy, packed

VARIABLE = "VAR_HANDLE > v:r | sharedName=v container= ; ASSIGN_VARIABLE v:r {} > ; READ_VARIABLE v:r > f2,3"
LOOP = """WHILE n:i x:f2 > i f2 | condSubgraphIndex=1 bodySubgraphIndex=2
INPUT n:i x:f2 ; LESS n:i i=3 > b
INPUT n:i x:f2 ; {} ; ADD x:f2 f1=1 > f2"""
SHUFFLED = "FULLY_CONNECTED u1,16 u4,16= {} > s1,4 u1,16 | weightsFormat=1"
INTEGER_LSTM = (
    "UNIDIRECTIONAL_SEQUENCE_LSTM q1,3,2 " + "q4,2= " * 4 + "q4,4= " * 4 + "- - - " + "a4= " * 4
    + "- - q1,4@ s1,4@ - - - - > q1,3,4 ~ o0 o0 o0 o0 q0 | fusedActivationFunction=4"
)  # fmt: skip

#: A sound file, an unsound one, and words of the error.
CASES = {
    "shapes that do not fill each other": ("ATAN2 f2,3 f2,3 > f2,3", "ATAN2 f2,3 f2,0 > f2,3", "of which one fills"),
    "lists that do not fill each other": (
        "BROADCAST_ARGS i2=1,2 i2=3,2 > i2", "BROADCAST_ARGS i2=1,2 i2=3,7 > i2", "of which one fills"),
    "a list with a size below zero": (
        "BROADCAST_ARGS i2 i2=1,2 > i2", "BROADCAST_ARGS i2 i2=-1,2 > i2", "sizes from 0"),
    "lists with a size below zero": (
        "BROADCAST_ARGS i2=1,2 i2=1,2 > i2", "BROADCAST_ARGS i2=1,2 i2=1,-1 > i2", "sizes from 0"),
    "weights that become larger": (
        "DENSIFY f2,3=# > d:f2,3 ; ADD d:f2,3 f2,3 > f2,3", "DENSIFY f2,3=# > d:f1,2,3 ; ADD d:f1,2,3 f2,3 > f2,3",
        "that of its input"),
    "a variable of two shapes": (VARIABLE.format("f2,3"), VARIABLE.format("f2,0"), "the variable of"),
    "a loop that nothing ends": (
        LOOP.format("ADD n:i i=1 > i"), LOOP.replace("LESS n:i i=3", "LESS i=2 i=3").format("ADD n:i i=1 > i"),
        "a condition that no turn changes"),
    "shuffled weights without a bias": (SHUFFLED.format("a4="), SHUFFLED.format("-"), "the bias"),
    "a workspace for other weights": (
        SHUFFLED.format("a4="), SHUFFLED.format("a4=").replace("> s1,4 u1,16", "> s1,4 u1,8"), "the workspace"),
    "lengths beyond a sequence": (
        "REVERSE_SEQUENCE f2,4 i2=1,4 > f2,4 | seqDim=1", "REVERSE_SEQUENCE f2,4 i2=1,5 > f2,4 | seqDim=1",
        "from 0 to 4"),
    "scales of one operand only": ("SUB s2,3 s2,3 > s2,3", "SUB s2,3 o2,3 > s2,3", "a scale for each"),
    "a shape that is filled": ("FILL i2=2,3 f=1 > f2,3", "FILL i2=65536,65536 f=1 > f2,3", "at most 134217728"),
    "numbers that are drawn": (
        "RANDOM_UNIFORM i2=2,3 > f2,3", "RANDOM_UNIFORM i2=65536,65536 > f2,3", "at most 134217728"),
    "repeats": ("TILE f2,3 i2=2,1 > f4,3", "TILE f2,3 i2=1000000000,1 > f4,3", "at most 134217728"),
    "a range": ("RANGE i=0 i=6 i=2 > i3", "RANGE i=0 i=2000000000 i=1 > i3", "at most 134217728"),
    "padding": ("PAD f2,3 i2,2=1,1,0,2 > f4,5", "PAD f2,3 i2,2=1,1,0,2000000000 > f4,5", "at most 134217728"),
    "classes": (
        "ONE_HOT i2 i=3 f=1 f=0 > f2,3 | axis=-1", "ONE_HOT i2 i=2000000000 f=1 f=0 > f2,3 | axis=-1",
        "at most 134217728"),
    "a long transform": ("RFFT2D f1,4,4 i2=4,4 > c1,4,3", "RFFT2D f1,4,4 i2=16777216,4 > c1,4,3", "at most 1048576"),
    "sizes of too many axes": ("RANDOM_UNIFORM i2=2,3 > f2,3", "RANDOM_UNIFORM i1000= > f2,3", "at most 16"),
    "a radius below zero": (
        "LOCAL_RESPONSE_NORMALIZATION f1,2,2,3 > f1,2,2,3 | radius=0 bias=1.0 alpha=1.0 beta=0.5",
        "LOCAL_RESPONSE_NORMALIZATION f1,2,2,3 > f1,2,2,3 | radius=-1 bias=1.0 alpha=1.0 beta=0.5", "the radius"),
    "rows without elements": (
        "HASHTABLE_LOOKUP i2=1,2 i3=0,1,2 f3,4 > f2,4 u2", "HASHTABLE_LOOKUP i2=1,2 i3=0,1,2 f3,0 > f2,0 u2",
        "the rows"),
    "a radius beyond every image": (
        "LOCAL_RESPONSE_NORMALIZATION f1,2,2,3 > f1,2,2,3 | radius=1 bias=1.0 alpha=1.0 beta=0.5",
        "LOCAL_RESPONSE_NORMALIZATION f1,2,2,3 > f1,2,2,3 | radius=2147483647", "the radius"),
    "a hash of handles": (
        "LSH_PROJECTION f2,3= i4 f4= > i2 | type=1", "LSH_PROJECTION f2,3= r f4= > i2 | type=1",
        "the type"),
    "a convolution without a bias": (
        "DEPTHWISE_CONV_2D f1,4,4,2 f1,2,2,2= f2= > f1,4,4,2 | strideW=1 strideH=1 depthMultiplier=1",
        "DEPTHWISE_CONV_2D f1,4,4,2 f1,2,2,2= > f1,4,4,2 | strideW=1 strideH=1 depthMultiplier=1", "the inputs of"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_operands_that_do_not_fit_are_refused_by_name_and_their_sound_twins_run(name: str, tmp_path: Path) -> None:
    sound, unsound, words = CASES[name]
    path = tmp_path / "model.tflite"
    path.write_bytes(healthy(sound))
    require_sound_tflite(path)
    interpreter = litert.Interpreter(str(path))
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], np.ones(detail["shape"], detail["dtype"]))
    interpreter.invoke()
    path.write_bytes(healthy(unsound))
    with pytest.raises(ArtifactError, match=words):
        require_sound_tflite(path)


@pytest.mark.parametrize("place", [0, 20])
def test_scales_in_other_tensors_are_refused_where_kernels_ask_for_their_own(place: int, tmp_path: Path) -> None:
    model = schema.ModelT.InitFromPackedBuf(bytearray(healthy(INTEGER_LSTM)), 0)
    path = tmp_path / "model.tflite"
    path.write_bytes(packed(model))
    require_sound_tflite(path)
    quantization = model.subgraphs[0].tensors[place].quantization
    quantization.details, quantization.detailsType = schema.BlockwiseQuantizationT(), 2
    path.write_bytes(packed(model))
    with pytest.raises(ArtifactError, match="one scale"):
        require_sound_tflite(path)


FLOAT_LSTM = (
    "UNIDIRECTIONAL_SEQUENCE_LSTM f1,3,2 " + "f4,2= " * 4 + "f4,4= " * 4 + "- - - " + "f4= " * 4
    + "- - f1,4@ f1,4@ - - - - > f1,3,4 | fusedActivationFunction=4"
)  # fmt: skip


def test_steps_of_an_lstm_have_time_batch_and_features(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(healthy(FLOAT_LSTM.replace("f1,3,2 ", "f1,3,2,1 ")))
    with pytest.raises(ArtifactError, match="2 or 3 axes"):
        require_sound_tflite(path)


@pytest.mark.parametrize(
    ("left_out", "words"),
    [((), ""), ((1, 5, 12), ""), ((2,), "input 2"), ((14,), "input 14"), ((12,), "the input gate"), ((1, 5), "gate")],
)
def test_a_gate_has_its_weights_and_bias_or_nothing(left_out: tuple[int, ...], words: str, tmp_path: Path) -> None:
    parts = FLOAT_LSTM.split()
    for index in left_out:
        parts[1 + index] = "-"
    path = tmp_path / "model.tflite"
    path.write_bytes(healthy(" ".join(parts)))
    if words:
        with pytest.raises(ArtifactError, match=words):
            require_sound_tflite(path)
        return
    require_sound_tflite(path)
    interpreter = litert.Interpreter(str(path))
    interpreter.allocate_tensors()
    interpreter.invoke()

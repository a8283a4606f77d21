"""What may set the states of an LSTM: our own files do in each call, and anything else might end the process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import interpreter as litert

from kexport.errors import ArtifactError
from kexport.runtimes.soundness import require_sound_tflite
from mutation_cases._tflite_notation import healthy

_WEIGHTS = "f4,2= " * 4 + "f4,4= " * 4 + "- - - " + "f4= " * 4
LSTM = f"UNIDIRECTIONAL_SEQUENCE_LSTM f1,3,2 {_WEIGHTS} - - h:f1,4@ f1,4@ - - - - > f1,3,4 | fusedActivationFunction=4"
SET = "SELECT_V2 b1,1 f1,4=0,0,0,0 f1,4=0,0,0,0 > h:f1,4@"
LATE = "FILL i2 f=1 > v:f1,1 ; EQUAL v:f1,1 v:f1,1 > c:b1,1 ; SELECT_V2 c:b1,1 f1,4=0,0,0,0 f1,4=0,0,0,0 > h:f1,4@"


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(healthy(text))
    return path


def _run(path: Path) -> None:
    interpreter = litert.Interpreter(str(path))
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], np.ones(detail["shape"], detail["dtype"]))
    interpreter.invoke()


def test_a_state_that_is_set_before_each_call_is_sound_and_runs(tmp_path: Path) -> None:
    path = _file(tmp_path, f"{SET} ; {LSTM}")
    require_sound_tflite(path)
    _run(path)


@pytest.mark.parametrize(
    "text",
    [f"{SET} ; {SET} ; {LSTM}", f"{LSTM} ; {SET}", f"{LATE} ; {LSTM}", f"ADD f1,4 f1,4 > h:f1,4@ ; {LSTM}",
     f"{SET} ; {LSTM} ; ADD h:f1,4@ f1,4 > f1,4"],
    ids=["twice", "afterwards", "of a size known in the call", "by a sum", "read by another operator"],
)  # fmt: skip
def test_a_variable_that_is_set_otherwise_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="which has a value"):
        require_sound_tflite(_file(tmp_path, text))


def test_a_state_of_another_size_is_refused_by_its_kernel(tmp_path: Path) -> None:
    path = _file(tmp_path, f"SELECT_V2 b1,1 f1,8= f1,8= > h:f1,4@ ; {LSTM}")
    with pytest.raises(RuntimeError, match="failed to prepare"):
        _run(path)

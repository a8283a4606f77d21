"""LiteRT's greeting is nobody's business; what others write to standard error meanwhile is not lost."""

import subprocess
import sys

from conftest import REFERENCE

CALL = """
import os, sys
import numpy, kexport
from ai_edge_litert import interpreter

allocate = interpreter.Interpreter.allocate_tensors

def talking(self):
    os.write(2, b"somebody else's line\\n")
    allocate(self)

interpreter.Interpreter.allocate_tensors = talking
for _ in range(2):
    kexport.load(sys.argv[1], runtime="litert")(numpy.ones((1, 5), "float32"))
os.write(2, b"the end\\n")
"""


def test_a_loaded_model_writes_nothing_and_keeps_what_others_write():
    command = [sys.executable, "-c", CALL, str(REFERENCE / "lowpass")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == ["somebody else's line"] * 2 + ["the end"]

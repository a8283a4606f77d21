"""Converters to small precisions run beside each other; what one of them does to its process is an error of its own."""

import os
import sys

import numpy as np
import pytest

from kexport.errors import ExportError
from kexport.factory.exports import HANDOVER
from kexport.factory.formats import Format, SmallTarget
from kexport.factory.inputs.calibration_file import CalibrationCall
from kexport.factory.precisions import SmallArtifacts
from kexport.factory.request import Conversion
from kexport.process import Worker

CONVERTERS = """
import os, time
from pathlib import Path
from kexport.errors import ExportError

def dying(**task): os.kill(os.getpid(), 11); yield
def hanging(**task): time.sleep(60); yield
def writing(target, **task):
    Path(target).touch()
    yield {"made": "here"}
def slow(target, **task):
    time.sleep(2)
    Path(target).with_name("ended").touch()
    yield {}
def met(own, other):
    own.touch()
    until = time.monotonic() + 20
    while not other.exists() and time.monotonic() < until:
        time.sleep(0.01)
    return other.exists()
def early(target, **task):
    assert met(Path(target), Path(target).with_name("late_done"))
    yield {"first": True}
def late(target, **task):
    assert met(Path(target), Path(target).with_name("model.int8.early"))
    Path(target).with_name("late_done").touch()
    yield {"first": False}
def refusing_early(target, **task):
    met(Path(target), Path(target).with_name("late_done"))
    raise ExportError("no", got="the first one")
    yield
def refusing_late(target, **task):
    met(Path(target), Path(target).with_name("model.int8.refusing_early"))
    Path(target).with_name("late_done").touch()
    raise ExportError("no", got="the second one")
    yield
"""


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Writes targets of fake formats, whose converters are those above, in a number of processes."""
    (tmp_path / "narrowing.py").write_text(CONVERTERS)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    monkeypatch.setattr("kexport.factory.precisions.small_artifacts.tensorflow_workers", lambda count: [Worker()])
    (tmp_path / "bundle" / HANDOVER).mkdir(parents=True)

    def write(names, beside=1, **conversion):
        targets = []
        for name in names:
            form = Format(name, f"model.{name}", "", 99, precisions=("int8",), narrower=f"narrowing:{name}")
            targets.append(SmallTarget(form, "int8"))
        workers = [Worker() for _ in range(beside)]
        small = SmallArtifacts(targets, tmp_path / "bundle", Conversion(**conversion), workers=workers)
        try:
            small.write(iter([CalibrationCall({"x": np.zeros((4, 8), "float32")})]), names, lambda step: None)
        finally:
            small.close()
            assert not any(worker.alive for worker in workers)
            (tmp_path / "bundle" / HANDOVER).mkdir()
        return small

    return write


def test_a_converter_that_crashes_is_an_error_and_the_next_one_has_a_process(written):
    small = written(["dying", "hanging", "writing"], timeout=1, keep_going=True)
    assert [target.label for target in small.details] == ["writing int8"]
    assert "SIGSEGV" in str(small.refusals["dying int8"])
    assert "a conversion within" not in str(small.refusals["dying int8"])
    assert "longer than 1 s" in str(small.refusals["hanging int8"])
    assert "a conversion within 1 s" in str(small.refusals["hanging int8"])
    assert all("leave out int8 (--precision)" in str(error) for error in small.refusals.values())
    with pytest.raises(ExportError, match="converter to dying int8 crashed"):
        written(["dying", "hanging", "writing"], timeout=1)


def test_two_converters_run_beside_each_other_and_leave_the_order_of_the_targets(written):
    small = written(["early", "late"], beside=2)  # each waits for the other
    assert [details["first"] for details in small.details.values()] == [True, False]


def test_of_two_that_are_refused_the_first_one_is_told_whichever_ends_first(written):
    with pytest.raises(ExportError, match="the first one"):
        written(["refusing_early", "refusing_late"], beside=2)


def test_an_error_ends_the_converter_that_runs_beside_it(written, tmp_path):
    with pytest.raises(ExportError, match="crashed"):
        written(["dying", "slow"], beside=2)
    assert not (tmp_path / "bundle" / "ended").exists()

"""A model that does not end, or takes all memory, is not checked: nothing hangs, and nothing is said to have failed."""

import json
import shutil
import sys
import time
import warnings

import numpy as np
import pytest

import kexport
from conftest import REFERENCE
from kexport.bundle.digests import digest
from kexport.confinement import limits
from kexport.errors import UncheckedError


def with_model(folder, body, outputs):
    """The bundle `scaled`, with an ONNX model of these nodes; digests are right."""
    from onnx import TensorProto, helper

    bundle = folder / "bundle"
    shutil.copytree(REFERENCE / "scaled", bundle)
    signature = kexport.Bundle.open(bundle).signature
    sides = [
        [helper.make_tensor_value_info(spec.name, TensorProto.FLOAT, ["n", *spec.shape[1:]]) for spec in side]
        for side in (signature.inputs, signature.outputs)
    ]
    (x,), (y,) = sides
    nodes = [*body(helper, TensorProto, x.name), helper.make_node("Add", [x.name, outputs], [y.name])]
    graph = helper.make_graph(nodes, "g", *sides)
    opset = [helper.make_opsetid("", 13)]
    content = helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    (bundle / "model.onnx").write_bytes(content)
    manifest = json.loads((bundle / "manifest.json").read_text())
    (entry,) = (each for each in manifest["artifacts"] if each["path"] == "model.onnx")
    entry["sha256"], entry["bytes"] = digest(bundle / "model.onnx"), len(content)
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    return bundle


def computed(helper, types, x, number, name):
    """The number as an integer, which the file does not tell: with nothing of the input added."""
    for constant, value in (("nothing", 0.0), ("amount", number)):
        yield helper.make_node("Constant", [], [constant], value=helper.make_tensor("", types.FLOAT, [], [value]))
    yield helper.make_node("Mul", [x, "nothing"], ["added"])
    yield helper.make_node("Add", ["added", "amount"], ["total"])
    yield helper.make_node("Cast", ["total"], [name], to=types.INT64)


def endless(helper, types, x):
    """A loop of 2^62 steps, which only a call finds out: what the file says itself is refused before."""
    step = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["c2"]), helper.make_node("Cos", ["v"], ["v2"])],
        "step",
        [
            helper.make_tensor_value_info("i", types.INT64, []),
            helper.make_tensor_value_info("c", types.BOOL, []),
            helper.make_tensor_value_info("v", types.FLOAT, []),
        ],
        [
            helper.make_tensor_value_info("c2", types.BOOL, []),
            helper.make_tensor_value_info("v2", types.FLOAT, []),
        ],
    )
    yield helper.make_node("ReduceSum", [x], ["start"], keepdims=0)
    yield from computed(helper, types, "start", 2.0**62, "steps")
    yield helper.make_node("Constant", [], ["on"], value=helper.make_tensor("", types.BOOL, [], [1]))
    yield helper.make_node("Loop", ["steps", "on", "start"], ["value"], body=step)


def enormous(helper, types, x, number=2.0**34):
    """64 GB of ones, or another number of them that depends on the input."""
    yield helper.make_node("ReduceSum", [x], ["sum"], keepdims=0)
    yield from computed(helper, types, "sum", number, "number")
    yield helper.make_node("Constant", [], ["one"], value=helper.make_tensor("", types.INT64, [1], [1]))
    yield helper.make_node("Reshape", ["number", "one"], ["size"])
    yield helper.make_node("Expand", ["sum", "size"], ["many"])
    yield helper.make_node("ReduceMax", ["many"], ["value"], keepdims=0)


@pytest.fixture
def hasty(monkeypatch):
    monkeypatch.setattr(limits, "_SECONDS", 0.2)


def test_verify_ends_a_model_that_does_not(tmp_path, hasty):
    report = kexport.verify(with_model(tmp_path, endless, "value"), ["onnxruntime"])
    assert report.exit_code == 3
    assert any("did not end" in str(fact) for check in report.checks if not check.ran for fact in check.facts)


def test_an_isolated_session_ends_its_call(tmp_path, hasty):
    session = kexport.load(with_model(tmp_path, endless, "value"), "onnxruntime", isolated=True)
    with session, pytest.raises(UncheckedError, match="--max-seconds"):
        session(np.ones((1, 3), "float32"))


def test_an_isolated_session_may_be_given_more_time(tmp_path, hasty):
    bundle, x = with_model(tmp_path, endless, "value"), np.ones((1, 3), "float32")
    with kexport.load(bundle, "onnxruntime", isolated=True, max_seconds=1.5) as session:
        started = time.monotonic()
        with pytest.raises(UncheckedError, match="within 2 s of each"):
            session(x)
        assert time.monotonic() - started > 1.5


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts what is allocated")
def test_a_model_that_takes_all_memory_is_not_checked(tmp_path):
    report = kexport.verify(with_model(tmp_path, enormous, "value"), ["onnxruntime"])
    assert report.exit_code == 3
    assert any("more memory" in str(fact) for check in report.checks if not check.ran for fact in check.facts)


def test_a_session_whose_calls_may_never_end_is_isolated_unless_the_caller_says_otherwise(tmp_path, hasty):
    bundle = with_model(tmp_path, endless, "value")
    with pytest.warns(UserWarning, match="decide how long the node .*Loop.* isolated=False"):
        session = kexport.load(bundle, "onnxruntime")
    with session, pytest.raises(UncheckedError, match="--max-seconds"):
        session(np.ones((1, 3), "float32"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kexport.load(bundle, "onnxruntime", isolated=True).close()
        kexport.load(bundle, "onnxruntime", isolated=False).close()
        kexport.load(bundle, "onnxruntime", trust=True).close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts what is allocated")
def test_a_call_of_an_isolated_session_takes_what_follows_from_its_inputs(tmp_path):
    def large(helper, types, x):
        return enormous(helper, types, x, 2.0**28)  # 1 GB, which other processes may take

    bundle = with_model(tmp_path, large, "value")
    with (
        kexport.load(bundle, "onnxruntime", isolated=True) as session,
        pytest.raises(UncheckedError, match=r"more memory than the 0\.8 GB"),
    ):
        session(np.ones((1, 3), "float32"))
    with kexport.load(bundle, "onnxruntime", isolated=True, max_bytes=1 << 32) as session:
        assert np.isfinite(session(np.ones((1, 3), "float32"))).all()
    with kexport.load(bundle, "onnxruntime", isolated=True) as session:  # 256 times as much for larger inputs
        assert np.isfinite(session(np.ones((1 << 19, 3), "float32"))).all()

import dataclasses
import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from kexport import runtimes
from kexport.bundle.signature import Signature, TensorSpec
from kexport.errors import InputError
from kexport.factory.emit import handover
from kexport.factory.formats import tflite
from kexport.factory.trace.program import Program
from kexport.field.verification.artifact_in_runtime import ArtifactInRuntime
from kexport.field.verification.signature_check import check_signature
from kexport.testing.closeness import EACH, assert_close

X = np.random.default_rng(5).normal(size=(4, 3)).astype("float32")
SIGNATURE = Signature(
    (TensorSpec("x", "float32", (None, 3)), TensorSpec("y", "float32", (None, 3))),
    (TensorSpec("sum", "float32", (None, 3)),),
)


@pytest.fixture
def pinned(tmp_path):
    """A file whose batch is pinned, because TFLite has no UnravelIndex for another, and its details."""

    def function(x, y):
        batch = tf.shape(x)[0]
        rows = tf.raw_ops.UnravelIndex(indices=tf.range(batch), dims=[batch])
        return [tf.gather(x, rows[0]) + 2.0 * y]

    specs = [tf.TensorSpec(spec.shape, spec.dtype, spec.name) for spec in SIGNATURE.inputs]
    core = tf.function(function, autograph=False).get_concrete_function(*specs)
    handover.write(
        Program(SimpleNamespace(name="test", _flatten_layers=list), None, SIGNATURE, core), tmp_path / "handover"
    )
    (details,) = tflite.convert(str(tmp_path / "handover"), str(tmp_path / "model.tflite"), {})
    return tmp_path / "model.tflite", details


def test_the_details_say_what_is_pinned(pinned):
    _, details = pinned
    assert json.loads(json.dumps(details))["pinned"] == {"batch": 1}


@pytest.mark.parametrize("runtime", ["litert", "litert_reference"])
@pytest.mark.parametrize("batch", [1, 2, 4])
def test_larger_batches_are_served_sample_by_sample(pinned, runtime, batch):
    session = runtimes.get(runtime).open(pinned[0], SIGNATURE)
    value = session({"x": X[:batch], "y": X[::-1][:batch]})["sum"]
    assert_close(value, X[:batch] + 2 * X[::-1][:batch], scale=EACH)


def test_inputs_of_different_batches_are_refused(pinned):
    session = runtimes.get("litert").open(pinned[0], SIGNATURE)
    with pytest.raises(InputError, match="different batch sizes"):
        session({"x": X, "y": X[:1]})


def test_a_pinned_batch_passes_only_when_the_manifest_says_so(pinned):
    path, details = pinned
    runtime = runtimes.get("litert")
    opened = runtime.open(path, SIGNATURE).opened
    artifact: Any = SimpleNamespace(
        path="model.tflite", format="tflite", precision="float32", details=details, quantization={}
    )
    bundle: Any = SimpleNamespace(signature=SIGNATURE, artifacts_of=lambda _: [artifact])
    tested = ArtifactInRuntime(bundle, artifact, runtime, ())
    assert check_signature(tested, opened).passed
    artifact.details = {}
    assert not check_signature(tested, opened).passed
    artifact.details = details
    wider = dataclasses.replace(opened, inputs=(TensorSpec("x", "float32", (2, 3)), opened.inputs[1]))
    assert not check_signature(tested, wider).passed

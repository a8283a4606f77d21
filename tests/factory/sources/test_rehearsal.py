"""A SavedModel with loops is called once within limits before a build calls it without any."""

import time

import pytest
import tensorflow as tf

import kexport
from kexport.errors import ModelError
from kexport.factory.sources import find
from kexport.field.trust import NO_TRUST, Trust


class Looping(tf.Module):
    """Adds to x until a counter, which the graph does not tell, has reached an end."""

    def __init__(self, end: float) -> None:
        self.end = tf.Variable(end)

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="x")])
    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        step = tf.constant(0.0)
        while step < self.end:
            x, step = tf.sin(x), tf.minimum(step + 1.0, 1e6)
        return x


@pytest.fixture
def saved(tmp_path):
    def save(end):
        model = Looping(end)
        tf.saved_model.save(model, str(tmp_path / "m"), signatures=model.__call__)
        return tmp_path / "m"

    return save


def test_one_that_never_ends_is_refused_and_nothing_is_written(saved, tmp_path):
    began = time.monotonic()
    with pytest.raises(ModelError, match="does not end within its limits") as caught:
        kexport.build(saved(1e30), tmp_path / "b", formats=["onnx"], timeout=60)
    assert "max_seconds" in str(caught.value)
    assert time.monotonic() - began < 120
    assert not list(tmp_path.glob("*b*"))


def test_one_that_ends_is_built(saved, tmp_path):
    assert kexport.build(saved(4.0), tmp_path / "b", formats=["onnx"]).passed


def test_who_is_trusted_needs_no_rehearsal(saved):
    source = find(saved(1e30), {})
    assert source.rehearse is not None
    source.rehearse(Trust(unrestricted=True))
    with pytest.raises(ModelError):
        source.rehearse(NO_TRUST)

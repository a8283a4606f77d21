"""A lowering whose outputs are not like those of the operation that it replaces is blamed by name."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from kexport.bundle.signature import Signature, TensorSpec
from kexport.factory.emit import emission, handover
from kexport.factory.emit.postcondition import LoweringError
from kexport.factory.internal_error import fault
from kexport.factory.lowerings import ComplexPair, Lowering, Missing
from kexport.factory.trace.program import Program


@pytest.fixture
def emitted(tmp_path, monkeypatch):
    """`emitted(function, op, emit)`: the graph of a function of x (batch, 3), where `emit` replaces the operation."""

    def emit_with(function, op, emit, **options):
        spec = tf.TensorSpec((None, 3), "float32", "x")
        core = tf.function(lambda x: tf.nest.flatten(function(x)), autograph=False).get_concrete_function(spec)
        outputs = tuple(
            TensorSpec(f"y{i}", t.dtype.name, tuple(t.shape.as_list())) for i, t in enumerate(core.structured_outputs)
        )
        signature = Signature((TensorSpec("x", "float32", (None, 3)),), outputs)
        program = Program(SimpleNamespace(name="test"), None, signature, core)
        handover.write(program, tmp_path / "handover")
        planted = Lowering("planted", ("onnx",), (op,), emit, **options)
        monkeypatch.setattr(emission, "needed_by", lambda *_: {op: [planted]})
        read = handover.read(tmp_path / "handover")
        return emission.emit(read, "onnx")

    return emit_with


def in_a_layer(x):
    with tf.name_scope("my_layer"):
        return tf.exp(x)


def test_a_lowering_that_gives_the_same_kind_of_output_is_taken(emitted):
    graph = emitted(in_a_layer, "Exp", lambda op, inputs: [tf.sinh(inputs[0]) + tf.cosh(inputs[0])]).graph
    assert "Exp" not in {op.type for op in graph.get_operations()}


def without_rank(x):
    return tf.reshape(x, tf.raw_ops.Placeholder(dtype=tf.int32))


@pytest.mark.parametrize(
    ("emit", "complaint"),
    [
        (lambda op, inputs: [tf.cast(inputs[0], tf.int32)], "output 0 has dtype int32 instead of float32"),
        (lambda op, inputs: [inputs[0][:, :2]], r"output 0 has shape \(None, 2\) instead of \(None, 3\)"),
        (lambda op, inputs: [inputs[0][0]], r"output 0 has shape \(3,\) instead of \(None, 3\)"),
        (lambda op, inputs: [without_rank(inputs[0])], "output 0 lost its rank, which was 2"),
        (lambda op, inputs: [], "it returned 0 outputs instead of 1"),
        (lambda op, inputs: [inputs[0], inputs[0]], "it returned 2 outputs instead of 1"),
        (lambda op, inputs: [np.zeros((1, 3), "float32")], "output 0 is not a tensor but ndarray"),
        (lambda op, inputs: [ComplexPair(inputs[0], inputs[0])], "output 0 has dtype complex64 instead of float32"),
    ],
    ids=["dtype", "shape", "axes", "rank", "too_few", "too_many", "no_tensor", "complex"],
)  # fmt: skip
def test_a_lowering_that_gives_something_else_is_blamed_with_operation_and_layer(emitted, emit, complaint):
    with pytest.raises(LoweringError, match=complaint) as caught:
        emitted(in_a_layer, "Exp", emit)
    assert str(caught.value).startswith("lowering planted of Exp in the model itself (my_layer/Exp): ")


def test_an_output_that_a_lowering_cannot_give_may_be_missing_where_nothing_uses_it(emitted):
    def emit(op, inputs):
        return [tf.reduce_max(inputs[0], 1, keepdims=True), Missing("indices", "there are none")]

    assert emitted(lambda x: tf.math.top_k(x, 1).values, "TopKV2", emit).outputs[0].shape.as_list() == [None, 1]


def test_a_dtype_may_be_narrowed_only_by_a_lowering_that_states_it(emitted):
    def function(x):
        return tf.cast(tf.cast(x, tf.float64), tf.int32)

    def emit(op, inputs):
        return [tf.cast(inputs[0], tf.float32 if op.outputs[0].dtype == tf.float64 else op.outputs[0].dtype)]

    with pytest.raises(LoweringError, match="dtype float32 instead of float64"):
        emitted(function, "Cast", emit)


def test_a_narrowed_dtype_is_taken_from_a_lowering_that_states_it(emitted):
    def emit(op, inputs):
        return [tf.cast(inputs[0], tf.float32 if op.outputs[0].dtype == tf.float64 else op.outputs[0].dtype)]

    graph = emitted(lambda x: tf.cast(tf.cast(x, tf.float64), tf.int32), "Cast", emit, narrowed={"float64": "float32"})
    assert graph.outputs[0].dtype == tf.int32


def test_it_is_reported_as_a_bug_in_kexport():
    trace = (
        'Traceback (most recent call last):\n  File "/x/exporter/kexport/factory/emit/postcondition.py", line 5, in f\n'
        "    raise\nkexport.factory.emit.postcondition.LoweringError: lowering a of Exp in b: it returned 0 outputs"
    )
    error = fault("the onnx converter failed on the model", trace, "build without it")
    assert "lowering a of Exp in b: it returned 0 outputs" in str(error)
    assert "bug in kexport" in str(error)

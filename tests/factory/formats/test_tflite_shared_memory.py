"""Tensors that TFLite's interpreter would write over, though they are read later."""

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from tensorflow.lite.tools import flatbuffer_utils

from kexport.factory.formats._tflite_shared_memory import keep_what_is_read


def scaled(x):
    """A product, which is written over what it is made from."""
    return tf.sin(x) * 0.8


def one_alias(x):
    y = scaled(x)
    return tf.reduce_sum(tf.tanh(tf.expand_dims(y, 2) + 1.0), -1) + tf.reduce_sum(y, -1, keepdims=True)


def two_aliases(x):
    y = scaled(x)
    return tf.matmul(tf.nn.softmax(tf.reduce_sum(tf.tanh(tf.expand_dims(y, 2) + tf.expand_dims(y, 1)), -1)), y)


def in_a_loop(x):
    return tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, one_alias(y) + y), (0, x), maximum_iterations=3)[1]


def an_output(x):
    y = scaled(x)
    return tf.tanh(tf.expand_dims(y, 2) * 2.0), y * 1.0


def plain(x):
    y = tf.sin(x)
    return tf.tanh(tf.expand_dims(y, 2) + 1.0) + tf.reduce_sum(y)


def converted(function):
    traced = tf.function(function, input_signature=[tf.TensorSpec((None, 1, 3))]).get_concrete_function()
    content = tf.lite.TFLiteConverter.from_concrete_functions([traced]).convert()
    return flatbuffer_utils.read_model_from_bytearray(bytearray(content))


def operators(model):
    return sum(len(graph.operators) for graph in model.subgraphs)


def far(model, function):
    """How far the kernels without a delegate are from TensorFlow."""
    content = bytes(flatbuffer_utils.convert_object_to_bytearray(model))
    kind = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=kind)
    x = np.random.default_rng(0).uniform(0.5, 1, (2, 1, 3)).astype("float32")
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], x.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    wanted = tf.nest.flatten(function(tf.constant(x)))
    results = [interpreter.get_tensor(details["index"]) for details in interpreter.get_output_details()]
    return max(np.abs(result - want).max() for result in results for want in wanted if result.shape == want.shape)


@pytest.mark.parametrize("function", [one_alias, two_aliases, in_a_loop])
def test_what_is_read_later_is_not_written_over(function):
    model = converted(function)
    assert far(model, function) > 0.1  # else the interpreter has learnt better, and the copies can go
    keep_what_is_read(model)
    assert far(model, function) < 1e-5


@pytest.mark.parametrize("function", [plain, an_output])
def test_nothing_is_copied_where_nothing_would_be_lost(function):
    model = converted(function)
    before = operators(model)
    keep_what_is_read(model)
    assert operators(model) == before
    assert far(model, function) < 1e-5


def test_a_copy_stands_before_the_operator_that_needs_it():
    model = converted(one_alias)
    keep_what_is_read(model)
    (graph,) = model.subgraphs
    computed = set(graph.inputs) | {index for index, each in enumerate(graph.tensors) if each.buffer}
    written = {int(tensor) for operator in graph.operators for tensor in operator.outputs}
    for operator in graph.operators:
        assert not {int(tensor) for tensor in operator.inputs} & (written - computed)
        computed |= {int(tensor) for tensor in operator.outputs}

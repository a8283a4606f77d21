import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from kexport.factory.trace.program import trace
from kexport.testing.closeness import EACH, assert_close


@pytest.mark.parametrize("axis", [1, -1])
def test_an_associative_scan_keeps_the_rank_that_the_model_knows(axis):
    x = keras.Input((5, 3), name="x")
    program = trace(keras.Model(x, ops.associative_scan(ops.add, x, axis=axis)))
    assert program.signature.outputs[0].shape == (None, 5, 3)
    values = np.random.default_rng(0).random((2, 5, 3), "float32")
    (found,) = program.core(tf.constant(values))
    assert_close(np.asarray(found), np.cumsum(values, axis), scale=EACH)

"""Operations without a kernel in double precision: their formulas give what the kernels round."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kexport.factory.inputs.domains import resolve_domains
from kexport.factory.trace.program import trace
from kexport.factory.truth import TWIN, establish
from kexport.factory.truth.eager_graph import EagerFunction
from kexport.factory.truth.oracle import Oracle
from kexport.testing.closeness import assert_close

COLOURS = np.random.default_rng(0).uniform(-0.5, 1, (2, 9, 7, 3)).astype("float32")
COLOURS[0, 0, :, :] = COLOURS[0, 0, :, :1]  # greys have no hue
CASES = {
    "a turned hue": lambda x: tf.image.adjust_hue(x, 0.3),
    "a hue turned back": lambda x: tf.image.adjust_hue(x, -0.7),
    "more saturation than there is": lambda x: tf.image.adjust_saturation(x, 3.0),
    "less saturation": lambda x: tf.image.adjust_saturation(x, 0.4),
    "contrast": lambda x: tf.image.adjust_contrast(x, 1.5),
    "local responses": lambda x: tf.nn.lrn(x, 1, bias=2.0, alpha=0.75, beta=0.5),
}


@pytest.mark.parametrize("case", CASES)
def test_a_formula_gives_what_the_kernel_rounds(case):
    function = tf.function(CASES[case]).get_concrete_function(tf.TensorSpec([None, 9, 7, 3]))
    run = EagerFunction(function, double=True)
    (y,) = run([COLOURS.astype("float64")])
    assert y.dtype == np.float64
    assert not run.single
    assert_close(function(COLOURS).numpy(), y, ulps=8)
    assert (y != y.astype("float32")).any()


def test_a_layer_that_turns_the_hue_has_a_truth_in_float64():
    """Its kernel is in single precision: a hue of 5 sixths is known to 5e-7, and was the truth."""
    given = keras.Input((8, 8, 3), name="x")
    model = keras.Model(given, keras.layers.Lambda(CASES["a turned hue"])(given))
    program = trace(model)
    truth = establish(program, Oracle(program), resolve_domains(program, {}).domains)
    assert truth.limits[0].source == TWIN
    assert truth.limits[0].floor > 0
    assert not truth.notes

import pytest
import tensorflow as tf

from kexport.errors import UsageError, reason, require_known


def failing(step, folder):
    """A signature of a SavedModel, which fails on 0."""
    module = tf.Module()
    module.step = tf.function(step, input_signature=[tf.TensorSpec((), "int32")])
    tf.saved_model.save(module, str(folder), signatures=module.step)
    return tf.saved_model.load(str(folder)).signatures["serving_default"]


def division(x):
    return {"y": 7 // x}


def assertion(x):
    tf.debugging.assert_positive(x, message="must be above 0")
    return {"y": x}


@pytest.mark.parametrize(("step", "words"), [(division, "Integer division by zero"), (assertion, "must be above 0")])
def test_of_a_graph_that_fails_the_reason_is_told_not_the_preamble(step, words, tmp_path):
    function = failing(step, tmp_path / "saved")
    with pytest.raises(tf.errors.InvalidArgumentError, match="Graph execution error") as caught:
        function(tf.constant(0))
    assert words in reason(caught.value)


def test_that_a_line_of_the_traceback_repeats_is_not_the_reason():
    told = 'Graph execution error:\n  File "m.py", line 2, in f\n  [Previous line repeated 2 more times]\nno such size'
    assert reason(ValueError(told)) == "ValueError: no such size"


def test_a_message_of_preambles_alone_is_still_told():
    assert reason(ValueError("Graph execution error:")) == "ValueError: Graph execution error:"
    assert reason(ValueError()) == "ValueError"


def test_names_are_listed_once():
    with pytest.raises(UsageError) as caught:
        require_known("dense", ["alpha", "beta"], "the model has no layer 'dense'")
    assert str(caught.value).count("alpha, beta") == 1
    with pytest.raises(UsageError, match="did you mean beta"):
        require_known("betta", ["alpha", "beta"], "the model has no layer 'betta'")

"""One comparison of a search: what it remembers, when it fails, and from whose side it is told."""

import numpy as np
from peers import DISCRETE, Peer, target, terms

from kexport.field.search.target import SearchCall
from kexport.parity.sampler import Trial

RIGHT = Peer("onnx", lambda x: x)
WRONG = Peer("tflite", lambda x: x + 0.1 * (x > 0.5))


def scored(of, x):
    x = np.asarray(x, "float32")
    trial = Trial({"x": x}, {"x": x.shape[1:]}, "random")
    (values,), (references,) = of.session.run([{"x": x}]), of.peer.run([{"x": x}])
    return of.score(SearchCall(trial), values, references)


def test_samples_within_the_limit_are_counted_and_the_worst_is_remembered():
    of = target(WRONG, RIGHT)
    assert (scored(of, [[0.1, 0.2], [0.3, 0.4]]) == 0).all()
    assert not of.failed
    assert of.state.evaluations == 2


def test_a_sample_beyond_the_limit_fails_it_and_is_kept_with_its_call():
    of = target(WRONG, RIGHT)
    scores = scored(of, [[0.1, 0.2], [0.9, 0.2]])
    assert scores[0] == 0
    assert scores[1] > 1
    assert of.failed
    assert "element [0, 0]" in of.state.failure[0]
    np.testing.assert_array_equal(of.state.wrong.verdict.golden.inputs["x"], np.array([[0.9, 0.2]], "float32"))


def test_where_no_input_can_be_nudged_few_differences_are_inconclusive():
    assert not DISCRETE.can_nudge
    assert terms().can_nudge
    of = target(WRONG, RIGHT, DISCRETE)
    scored(of, [[1.0, 0.0]])
    assert not of.failed
    assert of.state.inconclusive == 1
    scored(of, [[1.0, 0.0], [1.0, 1.0]])
    assert of.failed
    assert of.state.inconclusive == 0


def test_only_the_first_failure_counts():
    of = target(WRONG, RIGHT)
    of.fail(["it raised"], WRONG)
    of.fail(["the other raised"], RIGHT)
    assert of.state.failure == ("it raised",)
    assert of.state.at_fault is WRONG


def test_after_a_swap_the_failure_is_told_from_the_other_side():
    of = target(RIGHT, WRONG)
    scored(of, [[0.9, 0.2]])
    before = of.state.failure
    of.swap_sides()
    assert of.session is WRONG
    assert of.peer is RIGHT
    assert of.state.failure != before
    np.testing.assert_array_equal(of.state.wrong.verdict.golden.truth["y"], np.array([[0.9, 0.2]], "float32"))

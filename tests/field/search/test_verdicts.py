"""A closer look at samples beyond the limit."""

import numpy as np
import pytest

from kexport.bundle.domain import Uniform
from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Signature, TensorSpec
from kexport.field.search import Terms
from kexport.field.search.reference import Conditioning, second_answers
from kexport.field.search.verdicts import verdicts
from kexport.parity.space import Space
from kexport.parity.tolerance import declared

SIGNATURE = Signature((TensorSpec("x", "float32", (None, 2)),), (TensorSpec("y", "float32", (None, 2)),))
OWN = OutputLimit("y", 1.0, 1e-7, 4e-7, "float64 twin")
FEEDS = {"x": np.zeros((2, 2), "float32")}
TRUTH = np.array([[1.0, 0.5], [0.25, 1.0]])


def judged(error, *, limit=OWN, noise=0.0, moves=0.0, summation=1.0, truth=True):
    each = [np.full(TRUTH.shape, size, "float32") for size in (moves, noise)]
    own = {"y": TRUTH.astype("float32")} if truth else {}
    known = Conditioning({"y": TRUTH}, {"y": each[0]}, {"y": each[1]}, own)
    value = {"y": (TRUTH + np.asarray(error)).astype("float32")}
    space = Space(SIGNATURE, {"x": Uniform(-1, 1)}, [{"x": (1, 2)}])
    terms = Terms(SIGNATURE, space, {"y": limit}, 2.0**-23)
    return verdicts(terms, summation, FEEDS, value, known, "random")


def test_each_sample_is_judged_by_itself():
    first, second = judged([[0, 0], [1e-5, 0]])
    assert (first.wrong, second.wrong) == (False, True)
    np.testing.assert_array_equal(second.golden.truth["y"], TRUTH[1:])
    assert "element [0, 0]" in second.outcomes["y"].problems[0]


def test_noise_at_the_sample_widens_its_limit_and_more_so_for_longer_sums():
    assert judged(3e-6)[0].wrong
    assert not judged(3e-6, noise=1e-6, moves=3e-7)[0].wrong
    assert judged(9e-6, noise=1e-6, moves=3e-7)[0].wrong
    assert not judged(9e-6, noise=1e-6, moves=3e-7, summation=4.0)[0].wrong


def test_between_runtimes_longer_sums_widen_what_the_inputs_move_and_not_what_sums_lose_inside():
    own = {"noise": 1e-6, "moves": 3e-7, "truth": False}
    assert not judged(3.9e-6, **own)[0].wrong
    assert judged(9e-6, summation=4.0, **own)[0].wrong
    assert not judged(9e-6, summation=8.0, **own)[0].wrong


def test_a_declared_limit_is_not_widened():
    (tight,) = declared([OWN], {"y": 1e-6})
    assert judged(3e-6, limit=tight, noise=1e-6, moves=3e-7)[0].wrong
    assert judged(3e-6, limit=tight, noise=1e-6, moves=3e-7, summation=4.0)[0].wrong


def test_where_the_model_is_ill_conditioned_a_sample_is_apart():
    (verdict, _) = judged([[0.7, 0.0], [0.0, 0.0]], moves=1.0)
    assert not verdict.wrong
    assert verdict.excluded


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_is_none_is_wrong(value):
    assert [each.wrong for each in judged([[value, 0], [0, 0]])] == [True, False]


def test_a_second_answer_is_another_whole_number_or_no_number_at_all():
    truth = {"whole": np.array([1, 2]), "real": np.array([1.0, 2.0]), "same": np.array([3])}
    own = {"whole": np.array([1, 3]), "real": np.array([1.0, 2.5], "float32"), "same": np.array([3])}
    assert set(second_answers(truth, own)) == {"whole"}
    own["real"] = np.array([np.nan, 2.0], "float32")
    assert set(second_answers(truth, own)) == {"whole", "real"}

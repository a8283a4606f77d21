import numpy as np
import pytest
from filters import fir
from functions import checked, function_of

from kexport.contracts import Causal, Effort
from kexport.errors import UsageError

TAPS = (0.4, 0.3, 0.2, 0.1)
past = fir(TAPS)


def following(x):
    return np.pad(x, [(0, 0), (0, 1)])[:, 1:]


def looks_ahead_once(x):
    mask = np.zeros(x.shape[1], "float32")
    mask[-3] = 1e-3
    return past(x) + mask * following(x)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", [(None, None), (None, 20), (None, None, 2)])
def test_a_filter_of_the_past_is_causal(seed, shape):
    verdict = checked(Causal(), past, Effort(seed=seed, seconds=0.3), shape=shape)
    assert verdict.passed
    assert verdict.figure == 0


def test_a_running_sum_is_causal():
    assert checked(Causal(), lambda x: np.cumsum(x, axis=1), shape=(None, None)).passed


@pytest.mark.parametrize("broken", [
    lambda x: past(x) + np.float32(1e-3) * following(x),
    lambda x: x - x.mean(axis=1, keepdims=True),
    lambda x: past(x) + np.float32(0.1) * np.maximum(following(x) - np.float32(0.98), 0),
    lambda x: np.concatenate([x[:, :1] + np.float32(1e-3) * x[:, -1:], x[:, 1:]], axis=1),
    looks_ahead_once,
    fir(TAPS, 2),
], ids=["a little of the next", "the mean", "where large", "the last in the first", "once", "centred"])  # fmt: skip
@pytest.mark.parametrize("shape", [(None, None), (None, 40)])
def test_what_looks_ahead_is_found(broken, shape):
    verdict = checked(Causal(), broken, shape=shape)
    assert not verdict.passed
    assert "the inputs diverge at sample" in verdict.detail


def test_what_broke_it_is_tried_first_the_next_time():
    function, space, slack = function_of(looks_ahead_once, shape=(None, 40))
    verdict = Causal().check(function, space, slack)
    assert set(verdict.broken_by) == {"x", "x'"}
    again = Causal().check(function, space, slack, Effort(first=[verdict.broken_by]))
    assert not again.passed
    assert again.tried < 10


def test_one_sample_has_no_past():
    verdict = checked(Causal(), past, shape=(None, 1), shapes=[{"x": (3, 1)}])
    assert (verdict.passed, verdict.ran) == (False, False)
    assert "two samples" in verdict.detail


def test_time_may_run_along_the_last_axis():
    def along_last(x):
        return np.swapaxes(past(np.swapaxes(x, 1, 2)), 1, 2)

    def ahead(x):
        return np.swapaxes(fir(TAPS, 1)(np.swapaxes(x, 1, 2)), 1, 2)

    for axis in (2, -1):
        assert checked(Causal(axis), along_last, shape=(None, 3, 12)).passed
        assert not checked(Causal(axis), ahead, shape=(None, 3, 12)).passed


@pytest.mark.parametrize("axis", [0, 5, -2])
def test_an_axis_that_is_none_in_time_is_refused(axis):
    with pytest.raises(UsageError, match="no such time axis"):
        checked(Causal(axis), past, shape=(None, 12))


def test_an_axis_that_is_no_number_is_refused():
    with pytest.raises(UsageError, match="needs an axis"):
        Causal("time")  # type: ignore[arg-type]  # on purpose

import numpy as np
import pytest
from functions import checked, function_of

from kexport.contracts import Effort, RateLimited
from kexport.errors import UsageError
from kexport.testing.closeness import assert_close


def limited(up, down=None, steps=None):
    """The recurrence, in float32."""
    down = up if down is None else down

    def call(x):
        found = [x[:, 0]]
        for n in range(1, x.shape[1]):
            most = 1.0 if steps is None else steps.get(n, 1.0)
            change = np.clip(x[:, n] - found[-1], np.float32(-down * most), np.float32(up * most))
            found.append(found[-1] + change)
        return np.stack(found, axis=1)

    return call


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", [(None, None), (None, 30), (None, None, 2)])
def test_a_limited_rate_keeps_the_promise(seed, shape):
    verdict = checked(RateLimited(0.1), limited(0.1), Effort(seed=seed, seconds=0.3), shape=shape)
    assert verdict.passed
    assert verdict.figure <= verdict.limit
    assert_close(np.minimum(verdict.figure, 0.1), 0.1, ulps=64, dtype="float32")


@pytest.mark.parametrize("broken", [
    limited(0.1001), limited(0.1, 0.2), limited(0.1, steps={7: 1.2}), lambda x: x,
    lambda x: np.where(x > 0.9, np.float32(np.nan), limited(0.1)(x)),
], ids=["a little faster", "one way", "once", "not at all", "NaN"])  # fmt: skip
def test_what_is_faster_is_found(broken):
    assert not checked(RateLimited(0.1), broken, shape=(None, 30)).passed


def test_what_broke_it_is_tried_first_the_next_time():
    function, space, slack = function_of(limited(0.1, steps={7: 1.2}), shape=(None, 30))
    verdict = RateLimited(0.1).check(function, space, slack)
    again = RateLimited(0.1).check(function, space, slack, Effort(first=[verdict.broken_by]))
    assert not again.passed
    assert again.tried < 10


def test_one_sample_has_no_rate():
    verdict = checked(RateLimited(0.1), lambda x: x, shape=(None, 1), shapes=[{"x": (3, 1)}])
    assert (verdict.passed, verdict.ran) == (False, False)
    assert "two samples" in verdict.detail


@pytest.mark.parametrize("step", [-1, float("nan"), float("inf"), None])
def test_what_is_no_step_is_refused(step):
    with pytest.raises(UsageError, match="needs a step"):
        RateLimited(step)


@pytest.mark.parametrize(("step", "passed"), [(0.1, True), (0.1001, False)])
def test_the_rate_is_one_of_the_output_whatever_the_inputs_are(step, passed):
    def call(wanted, last):
        return np.stack([last, last + np.clip(wanted - last, np.float32(-step), np.float32(step))], axis=1)

    verdict = checked(RateLimited(0.1), call, Effort(seconds=0.3), inputs={"wanted": (None, 1), "last": (None, 1)})
    assert (verdict.passed, verdict.ran) == (passed, True)


def test_an_output_without_the_axis_is_refused():
    with pytest.raises(UsageError, match="no such time axis"):
        checked(RateLimited(0.1), lambda x: x[:, 0], shape=(None, 3))


def test_a_jump_in_long_signals_only_is_found_and_the_lengths_that_were_tried_are_told():
    def jump(x):
        return 0.05 * np.clip(x, -1, 1) + 0.5 * (np.arange(x.shape[1]) >= 128)

    verdict = checked(RateLimited(0.11), jump, Effort(seconds=0.0, turns=2), shape=(None, None))
    assert not verdict.passed
    held = checked(RateLimited(0.11), lambda x: 0.05 * x, Effort(seconds=0.0, turns=2), shape=(None, None))
    assert held.passed
    assert any("to 257 tried" in fact for fact in held.facts)


@pytest.mark.parametrize("raises", [True, False])
def test_a_model_that_does_not_take_long_signals_keeps_its_promise_and_the_verdict_tells_how_far(raises):
    def short(x):
        if x.shape[1] > 200 and raises:
            raise ValueError("too long")
        return 0.05 * x + (np.nan if x.shape[1] > 200 else 0.0)

    verdict = checked(RateLimited(0.11), short, Effort(seconds=0.0, turns=2), shape=(None, None))
    assert verdict.passed
    assert any("tried; the model does not take 257" in fact for fact in verdict.facts)

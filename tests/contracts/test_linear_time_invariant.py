from typing import Any

import numpy as np
import pytest
from filters import fir, one_off
from functions import checked, function_of
from scipy.signal import firwin

from kexport.bundle.domain import Samples
from kexport.bundle.precision import weight_rounding
from kexport.contracts import Effort, LinearTimeInvariant
from kexport.errors import UsageError

TAPS = tuple(float(tap) for tap in firwin(31, 40, fs=360))
PROMISED = LinearTimeInvariant(TAPS, 15)
DOMAINS = ["uniform(-5, 5)", "uniform(0, 1)", "uniform(2, 3)", "normal(0, 1)", "ints(-100, 100)"]
SHAPES = [(None, None), (None, 70), (None, None, 2)]
healthy = fir(TAPS, 15)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_filter_keeps_the_promise_whatever_the_seed(seed, domain, shape):
    effort = Effort(seed=seed, seconds=0.1)
    for promised in (PROMISED, LinearTimeInvariant()):
        assert checked(promised, healthy, effort, shape=shape, domains={"x": domain}).passed


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("place", [0, 1, 7, 15, 16, 29])
def test_a_tap_off_by_one_percent_is_found_and_named(domain, shape, place):
    promised, broken = TAPS, one_off(TAPS, place)
    if place == 0:  # one percent of the outermost tap, the smallest but one, is less than float32 has to spare
        broken = one_off(TAPS, place, 1.05)
    verdict = checked(LinearTimeInvariant(promised, 15), fir(broken, 15), shape=shape, domains={"x": domain})
    assert not verdict.passed
    assert f"tap {place} is" in verdict.detail
    assert "+1" in verdict.detail or "+0.9" in verdict.detail or "+5" in verdict.detail or "+4.9" in verdict.detail


def test_taps_that_are_stored_in_eight_bits_keep_it_and_others_do_not():
    steps = np.max(np.abs(TAPS)) / 127
    stored = np.rint(np.asarray(TAPS) / steps) * steps
    function, space, slack = function_of(fir(tuple(stored), 15))
    assert not PROMISED.check(function, space, slack, Effort(seconds=1.0)).passed
    slack.weights = weight_rounding("int8")
    assert PROMISED.check(function, space, slack, Effort(seconds=1.0)).passed
    stored[15] += 32 * steps
    function, space, _ = function_of(fir(tuple(stored), 15))
    assert not PROMISED.check(function, space, slack, Effort(seconds=1.0)).passed


def gain_once(x):
    gains = np.ones((x.shape[1], *[1] * (x.ndim - 2)), "float32")
    gains[x.shape[1] // 2] = 1.001
    return healthy(x) * gains


def other_channel(x):
    return np.stack([healthy(x[..., 0]), fir(one_off(TAPS, 12), 15)(x[..., 1])], axis=-1)


def leaking(x):
    return healthy(x + np.float32(1e-3) * x[..., ::-1])


def repeating(x):
    ends = [(0, 0), (15, 15), *[(0, 0)] * (x.ndim - 2)]
    return healthy(np.pad(x, ends, mode="edge"))[:, 15:-15]


BROKEN = {
    "a gain": fir([1.001 * tap for tap in TAPS], 15),
    "a delay": fir(TAPS, 14),
    "a gain at one place": gain_once,
    "saturation": lambda x: healthy(x - np.float32(1e-4) * x * x * x),
    "clipped": lambda x: healthy(np.clip(x, -4.99, 4.99)),
    "an offset": lambda x: healthy(x) + np.float32(1e-3),
    "edges repeat": repeating,
    "one channel": other_channel,
    "a leak": leaking,
    "NaN": lambda x: np.where(x > 4.9, np.float32(np.nan), healthy(x)),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("length", [None, 70])
def test_what_is_no_such_filter_is_found(broken, length):
    verdict = checked(PROMISED, broken, shape=(None, length, 2), domains={"x": "uniform(-5, 5)"})
    assert not verdict.passed


UNSTATED = [name for name in BROKEN if name not in ("a gain", "a delay", "one channel")]


@pytest.mark.parametrize("broken", [BROKEN[name] for name in UNSTATED], ids=UNSTATED)
@pytest.mark.parametrize("length", [None, 70])
def test_without_taps_what_is_no_filter_at_all_is_found(broken, length):
    verdict = checked(LinearTimeInvariant(), broken, shape=(None, length, 2), domains={"x": "uniform(-5, 5)"})
    assert not verdict.passed


@pytest.mark.parametrize("padding", ["causal", "valid", "full"])
def test_advance_says_where_the_output_begins(padding):
    taps = (0.5, 0.3, 0.15, 0.05)
    causal = fir(taps)
    calls = {
        "causal": causal,
        "valid": lambda x: causal(x)[:, 3:],
        "full": lambda x: causal(np.pad(x, [(0, 0), (0, 3)])),
    }
    shapes = [{"x": (2, 9)}, {"x": (2, 14)}]
    promised = LinearTimeInvariant(taps, 3 if padding == "valid" else 0)
    assert checked(promised, calls[padding], shape=(None, None), shapes=shapes).passed
    assert checked(LinearTimeInvariant(), calls[padding], shape=(None, None), shapes=shapes).passed
    backwards = LinearTimeInvariant(taps[::-1], promised.advance)
    assert not checked(backwards, calls[padding], shape=(None, None), shapes=shapes).passed


def test_of_skipped_samples_nothing_is_said():
    assert not checked(PROMISED, repeating, shape=(None, None)).passed
    assert checked(LinearTimeInvariant(TAPS, 15, (15, 15)), repeating, shape=(None, None)).passed
    assert not checked(LinearTimeInvariant(TAPS, 15, (14, 15)), repeating, shape=(None, None)).passed
    assert checked(LinearTimeInvariant(None, 0, (15, 15)), repeating, shape=(None, None)).passed


@pytest.mark.parametrize("length", [None, 90])
def test_recorded_signals_serve_too(length):
    signal = np.sin(np.arange(4000) / 9)
    recorded = Samples(np.stack([signal[k : k + 90] for k in range(0, 3900, 13)]).astype("float32"))
    settings = {"shape": (None, length), "domains": {"x": recorded}, "shapes": [{"x": (3, 90)}, {"x": (3, 50)}]}
    if length:
        settings["shapes"] = [{"x": (3, 90)}]
    assert checked(PROMISED, healthy, **settings).passed
    assert not checked(PROMISED, fir(one_off(TAPS, 5), 15), **settings).passed


@pytest.mark.parametrize("length", [1, 2, 7])
def test_a_short_signal_is_filtered_by_the_taps_that_reach_it(length):
    settings = {"shape": (None, length), "shapes": [{"x": (3, length)}]}
    assert checked(PROMISED, healthy, **settings).passed
    assert not checked(PROMISED, fir(one_off(TAPS, 15), 15), **settings).passed


@pytest.mark.parametrize("promised", [LinearTimeInvariant(), LinearTimeInvariant(TAPS, 15, (4, 4))])
def test_too_short_a_signal_tells_nothing(promised):
    length = 1 if promised.taps is None else 8
    verdict = checked(promised, healthy, shape=(None, length), shapes=[{"x": (3, length)}])
    assert (verdict.passed, verdict.ran) == (False, False)
    assert "too short" in verdict.detail


def test_what_broke_it_is_tried_first_the_next_time():
    function, space, slack = function_of(fir(one_off(TAPS, 3), 15), shape=(None, None))
    verdict = PROMISED.check(function, space, slack)
    again = PROMISED.check(function, space, slack, Effort(first=[verdict.broken_by]))
    assert not again.passed
    assert again.tried < 10


def test_another_input_is_drawn_along():
    inputs = {"x": (None, 50), "gain": (None, 1)}
    assert checked(PROMISED, lambda x, gain: healthy(x) + 0 * gain, inputs=inputs, about=["x"]).passed
    assert not checked(PROMISED, lambda x, gain: healthy(x) * gain, inputs=inputs, about=["x"]).passed


@pytest.mark.parametrize("settings", [
    {"taps": ()}, {"taps": (1.0, float("nan"))}, {"taps": "many"}, {"taps": 3}, {"advance": 0.5}, {"skip": (1,)},
    {"skip": (-1, 0)}, {"axis": None},
])  # fmt: skip
def test_what_describes_no_filter_is_refused(settings):
    with pytest.raises(UsageError, match="needs a filter"):
        LinearTimeInvariant(**settings)


def test_lists_come_back_as_they_went():
    from_json: Any = ([1, 2], 1, [0, 1])
    assert LinearTimeInvariant(*from_json) == LinearTimeInvariant((1.0, 2.0), 1, (0, 1))

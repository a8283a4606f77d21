"""The frequency response is measured as it is, in NumPy and through every runtime; what is too weak is found."""

import numpy as np
import pytest
from functions import checked
from scipy.signal import firwin, freqz

import kexport
from kexport import runtimes
from kexport.contracts import Effort, Function, LowPass, Slack
from kexport.errors import UsageError
from kexport.parity.space import space_of
from kexport.parity.tolerance import for_kernels
from kexport.testing.closeness import EACH, assert_close

TAPS = firwin(31, 40, fs=360)
PROMISE = LowPass(29.35, 60.39, 1.0, 52.8, 360.0)
RUNTIMES = ("keras", "saved_model", "onnxruntime", "litert", "litert_reference")


def filtering(taps, *, after=lambda y: y):
    own = np.asarray(taps, "float32")

    def call(x):
        return after(np.stack([np.convolve(row, own, "same") for row in x]).astype("float32"))

    return call


def judged(call, promise=PROMISE, domain="uniform(-5, 5)", **settings):
    return checked(promise, call, shape=(None, None), domains={"x": domain}, **settings)


def changed(place, factor):
    taps = TAPS.copy()
    taps[place] *= factor
    return taps


def gated(x):
    """What is as loud as a twentieth of the domain is filtered."""
    quiet = np.abs(x).max(axis=-1, keepdims=True) < 0.25
    filtered = filtering(TAPS)(x)
    return np.where(quiet, x, filtered) if filtered.shape == x.shape else filtered


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("domain", ["uniform(-5, 5)", "uniform(0, 1)", "normal(0, 2)"])
def test_a_healthy_filter_raises_no_alarm(domain, seed):
    verdict = judged(filtering(TAPS), domain=domain, effort=Effort(seed=seed))
    assert verdict.ran
    assert verdict.passed, verdict.detail
    assert_close(verdict.metrics["dc_gain"], 1, ulps=64, dtype="float32")
    assert any("to 0.01 of that" in str(fact) for fact in verdict.facts)


@pytest.mark.parametrize(
    ("name", "call", "promise"),
    [
        ("a stop band 1 dB too weak", filtering(TAPS), LowPass(29.35, 60.39, 1.0, 54.0, 360.0)),
        ("a stop band that begins too late", filtering(TAPS), LowPass(29.35, 58.0, 1.0, 52.8, 360.0)),
        ("a pass band that ends too early", filtering(TAPS), LowPass(31.0, 60.39, 1.0, 52.8, 360.0)),
        ("a tap off by 1 %", filtering(changed(15, 1.01)), PROMISE),
        ("gain at DC", filtering(TAPS * 1.0002), PROMISE),
        ("an offset", filtering(TAPS, after=lambda y: y + np.float32(1e-3)), PROMISE),
        ("clipping", filtering(TAPS, after=lambda y: np.clip(y, -4.9, 4.9)), PROMISE),
        ("NaN", filtering(TAPS, after=lambda y: np.where(y > 4.9, np.nan, y)), PROMISE),
        ("no filter", lambda x: x, PROMISE),
        ("no filter for quiet signals", gated, PROMISE),
    ],
)
def test_a_filter_that_is_not_as_promised_is_found_and_breaks_it_again(name, call, promise):
    verdict = judged(call, promise)
    assert verdict.ran, name
    assert not verdict.passed, (name, verdict)
    assert {len(values) for values in verdict.broken_by.values()} == {1}
    again = judged(call, promise, effort=Effort(samples=1, seconds=0.0, first=[verdict.broken_by]))
    assert not again.passed


def test_what_is_too_short_to_tell_is_not_passed():
    verdict = checked(PROMISE, filtering(TAPS), shape=(None, 8), domains={"x": "uniform(-5, 5)"})
    assert not verdict.ran
    assert not verdict.passed


@pytest.mark.parametrize("numbers", [(60, 30, 1, 50, 360), (10, 200, 1, 50, 360), (10, 20, 0, 50), (10, np.nan, 1, 50)])
def test_edges_out_of_order_are_refused(numbers):
    with pytest.raises(UsageError, match="needs a filter"):
        LowPass(*numbers)


def _gain(decibels):
    """The gain as a ratio, of which 8192 units in the last place are less than a hundredth of a decibel."""
    return 10 ** (np.asarray(decibels) / 20)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    settings = {"kernel_size": "31", "cutoff": "40", "sample_rate": "360"}
    return kexport.build("lowpass", tmp_path_factory.mktemp("low_pass") / "lowpass", settings=settings)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_response_of_every_artifact_is_scipys_within_a_hundredth_of_a_decibel(bundle, runtime):
    limits = {
        each.output: for_kernels(each, runtimes.get(runtime).accumulation_factor) for each in bundle.manifest.limits
    }
    space = space_of(bundle)
    function = Function(kexport.load(bundle.path, runtime), space, ("signal",), ("filtered",))
    verdict = PROMISE.check(function, space, Slack(limits, bundle.manifest.ulp), Effort())
    assert verdict.passed, verdict.detail
    hertz = np.asarray(verdict.metrics["frequencies_hz"])
    expected = 20 * np.log10(np.maximum(np.abs(freqz(TAPS, worN=hertz, fs=360)[1]), 1e-12))
    above = expected > -80
    assert above.sum() > 400
    assert_close(
        _gain(verdict.metrics["response_db"])[above], _gain(expected)[above], ulps=8192, scale=EACH, dtype="float32"
    )
    peak = expected[hertz >= PROMISE.stop_band].max()  # of sines, as the verdict has it
    assert_close(_gain(verdict.metrics["stop_band_db"]), _gain(peak), ulps=8192, scale=EACH, dtype="float32")

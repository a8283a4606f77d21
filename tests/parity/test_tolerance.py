import numpy as np
import pytest

from kexport.bundle.limits import DECLARED, OutputLimit
from kexport.bundle.signature import TensorSpec
from kexport.errors import UsageError
from kexport.parity.tolerance import Tolerance, between, declared, for_kernels, limit_for, robust_floor
from kexport.testing.closeness import assert_close

FLOAT = TensorSpec("y", "float32", (None,))


def test_the_limit_is_a_small_multiple_of_the_measured_floor():
    limit = limit_for(FLOAT, scale=10.0, noise=1e-4, source="float64 twin")
    assert limit.floor == 1e-5
    assert limit.limit == 4 * limit.floor


def test_a_floor_near_zero_leaves_a_few_ulps_of_the_scale():
    assert limit_for(FLOAT, 10.0, 0.0, "float64 twin").limit == 4 * 2.0**-23


def test_an_output_that_is_always_zero_is_compared_absolutely():
    assert limit_for(FLOAT, 0.0, 0.0, "float64 twin").scale == 1.0


def test_whole_numbers_may_not_differ():
    assert limit_for(TensorSpec("y", "int32", (None,)), 5.0, 0.0, "float64 twin").limit == 0.0


def test_one_long_sum_in_place_of_sixteen_lanes_stays_within_the_limit_that_its_order_is_given():
    rng = np.random.default_rng(0)
    terms = rng.normal(size=(400, 4096)).astype("float32")
    truth = terms.astype("float64").sum(axis=1)
    lanes = np.cumsum(terms.reshape(400, -1, 16), axis=1, dtype="float32")[:, -1]
    noise = np.abs(np.cumsum(lanes, axis=1, dtype="float32")[:, -1] - truth).max()
    limit = limit_for(FLOAT, float(np.abs(truth).max()), float(noise), "float64 twin")
    one_by_one = np.abs(np.cumsum(terms, axis=1, dtype="float32")[:, -1] - truth).max() / limit.scale
    assert one_by_one > noise / limit.scale
    assert one_by_one < for_kernels(limit, 4.0).limit


def test_the_order_of_summation_leaves_a_model_of_few_operations_its_few_ulps():
    limit = limit_for(FLOAT, 1.0, 1e-8, "float64 twin")
    assert for_kernels(limit, 4.0).limit == limit.limit


@pytest.mark.parametrize(
    ("text", "limit", "decibels", "reason"),
    [
        ("1e-4", 1e-4, None, ""),
        (" .5 ", 0.5, None, ""),
        ("1e-4: 12-bit sensor", 1e-4, None, "12-bit sensor"),
        ("40dB", None, 40.0, ""),
        ("40 dB : int8: weights", None, 40.0, "int8: weights"),
        ("2", 2.0, None, ""),
    ],
)
def test_a_tolerance_is_a_number_and_a_reason_and_its_text_says_the_same(text, limit, decibels, reason):
    tolerance = Tolerance.parse(text)
    assert (tolerance.limit, tolerance.decibels, tolerance.reason) == (limit, decibels, reason)
    assert Tolerance.parse(str(tolerance)) == tolerance


@pytest.mark.parametrize(
    "text", ["", "-1", "0", "0dB", "abc", "1.2.3", "1e999", "nan", "inf", "40db!", "1e-4 sensor", "dB"]
)
def test_what_is_no_tolerance_is_told_with_examples(text):
    with pytest.raises(UsageError, match="unreadable tolerance") as refused:
        Tolerance.parse(text)
    assert "40dB" in str(refused.value)


OWN = OutputLimit("y", 2.0, 1e-7, 5e-7, "float64 twin")


def test_a_declared_limit_stands_in_place_of_the_derived_one_with_its_reason():
    (found,) = declared([OWN], {"y": "1e-3: 12-bit sensor"})
    assert (found.limit, found.scale, found.source, found.reason) == (1e-3, 2.0, DECLARED, "12-bit sensor")
    (ratio,) = declared([OWN], {"y": Tolerance(decibels=40.0)})
    assert (ratio.decibels, ratio.source) == (40.0, DECLARED)
    assert declared([OWN], {}) == (OWN,)
    assert declared([OWN], {"y": 0.25})[0].limit == 0.25


def test_a_declared_limit_is_that_of_every_runtime():
    (found,) = declared([OWN], {"y": "1e-9"})
    assert for_kernels(found, 4.0) == found
    assert for_kernels(OWN, 4.0).limit > OWN.limit


def test_a_tolerance_for_what_is_no_output_is_refused_with_those_that_are():
    with pytest.raises(UsageError, match="'z', which is not an output") as refused:
        declared([OWN], {"z": 1})
    assert "one of y" in str(refused.value)


def test_two_that_may_each_be_off_by_their_limit_may_differ_by_the_sum():
    assert between(OWN, OWN).limit == 2 * OWN.limit
    (wide,), (ratio,) = declared([OWN], {"y": 1e-3}), declared([OWN], {"y": "40dB"})
    assert between(wide, wide).limit == 2e-3
    assert between(wide, wide).source == DECLARED
    assert_close(between(ratio, ratio).decibels, 40 - 20 * np.log10(2))


def test_the_floor_is_that_of_the_samples_that_have_no_edge():
    rng = np.random.default_rng(0)
    noises = [np.abs(rng.normal(0, 1e-6, (50, 4))) for _ in range(3)]
    usual = robust_floor(noises, 2.0, 2.0**-23)
    assert usual == max(float(noise.max()) for noise in noises) / 2
    noises[1][7, 2] = 0.05  # a step, where something is rounded
    assert 0.7 * usual < robust_floor(noises, 2.0, 2.0**-23) < 1.3 * usual
    assert robust_floor([], 1.0, 2.0**-23) == 0.0
    assert robust_floor([np.zeros((0, 3))], 1.0, 2.0**-23) == 0.0
    assert robust_floor([np.array(1e-7)], 1.0, 2.0**-23) == 1e-7


def test_a_ratio_cannot_be_declared_of_whole_numbers():
    whole = limit_for(TensorSpec("label", "int64", (None,)), 1.0, 0.0, "float64 twin")
    assert declared([whole], {"label": "1"})[0].limit == 1
    with pytest.raises(UsageError, match="not real-valued"):
        declared([whole], {"label": "40dB"})

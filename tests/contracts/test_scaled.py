from typing import Any

import numpy as np
import pytest
from functions import checked

from kexport.contracts import Scaled
from kexport.errors import UsageError

FACTORS = (0.5, -2.0, 3.0)


def scaled(factor):
    return lambda x: x * np.asarray(factor, "float32")


@pytest.mark.parametrize("factor", [2.5, -1.0, 0.0, FACTORS])
@pytest.mark.parametrize("domain", ["uniform(-5, 5)", "uniform(2, 3)", "normal(0, 1)"])
def test_a_scaled_input_keeps_the_promise(factor, domain):
    verdict = checked(Scaled(factor), scaled(factor), shape=(None, 4, 3), domains={"x": domain})
    assert verdict.passed
    assert verdict.figure <= verdict.limit


@pytest.mark.parametrize("share", [1 + 1e-4, 1 - 1e-4])
def test_a_factor_off_by_one_part_in_ten_thousand_is_found(share):
    verdict = checked(Scaled(2.5), scaled(2.5 * share))
    assert not verdict.passed
    assert verdict.broken_by["x"].shape == (1, 8)


def test_one_channel_off_is_found():
    assert not checked(Scaled(FACTORS), scaled((0.5, -2.0003, 3.0)), shape=(None, 3)).passed


def test_an_offset_is_found():
    assert not checked(Scaled(2.0), lambda x: 2 * x + np.float32(1e-4)).passed


def test_nan_is_no_scaled_input():
    assert not checked(Scaled(2.0), lambda x: np.where(x > 0.5, np.float32(np.nan), 2 * x)).passed


def test_what_broke_it_breaks_it_again():
    broken = scaled(2.0001)
    first = checked(Scaled(2.0), broken)
    again = checked(Scaled(2.0), broken)
    assert np.array_equal(first.broken_by["x"], again.broken_by["x"])


@pytest.mark.parametrize("factor", [float("nan"), float("inf"), (), (1.0, float("nan")), "two", None])
def test_what_is_no_factor_is_refused(factor):
    with pytest.raises(UsageError, match="needs a factor"):
        Scaled(factor)


def test_lists_come_back_as_they_went():
    from_json: Any = [1, 2]
    assert Scaled(from_json) == Scaled((1.0, 2.0))


def test_factors_need_as_many_channels():
    with pytest.raises(UsageError, match="one factor for each channel"):
        checked(Scaled(FACTORS), lambda x: x, shape=(None, 4))


def test_an_output_of_another_shape_cannot_be_compared():
    with pytest.raises(UsageError, match="element by element"):
        checked(Scaled(1.0), lambda x: x[:, :2])


def test_one_of_several_inputs_must_be_named():
    inputs = {"x": (None, 3), "other": (None, 3)}
    with pytest.raises(UsageError, match="a single input"):
        checked(Scaled(2.0), lambda x, other: 2 * x, inputs=inputs)
    assert checked(Scaled(2.0), lambda x, other: 2 * x, inputs=inputs, about=["x"]).passed


def test_the_promise_in_words():
    assert Scaled(2.5).words() == "is 2.5 times the input"
    assert Scaled((1, -2)).words() == "is the input times 1, -2, by channel"

"""Real outputs as the integers that they were made of, and how many steps these are apart."""

import numpy as np
import pytest

from kexport.bundle.quantization import AffineQuantization
from kexport.parity.kernel_steps import apart, spread, steps_of


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16"])
@pytest.mark.parametrize("scale", [1e-7, 3.0517578125e-05, 0.1234567, 3.0, 1e5])
def test_every_integer_comes_back_from_the_number_that_it_stands_for(dtype, scale):
    bounds = np.iinfo(dtype)
    stored = AffineQuantization(dtype, scale, int(bounds.min) + 3)
    every = np.arange(bounds.min, bounds.max + 1).astype(dtype)
    np.testing.assert_array_equal(steps_of(stored.real(every), stored), every)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e9])
def test_what_no_integer_stands_for_is_none(value):
    assert steps_of(np.array([0.0, value], np.float32), AffineQuantization("int8", 0.5, 0)) is None


def test_an_output_without_elements_has_none():
    found = steps_of(np.zeros((0, 3), np.float32), AffineQuantization("int8", 0.5, 0))
    assert found is not None
    assert found.shape == (0, 3)


def test_distances_do_not_overflow():
    ends = np.array([-128, 127], np.int8)
    assert apart(ends, ends[::-1]).tolist() == [255, 255]


def test_the_spread_is_that_of_the_two_that_are_furthest_apart():
    three = {"a": np.array([1, 5], np.int8), "b": np.array([2, 5], np.int8), "c": np.array([-1, 6], np.int8)}
    assert spread(three) == 3
    assert spread({"a": three["a"]}) == 0

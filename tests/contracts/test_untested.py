"""Promises that hold and were not put to the test."""

import numpy as np
from functions import checked, function_of

from kexport.contracts import Bounded, Effort, Monotonic

SHORT = Effort(samples=2000, seconds=1.0)


def test_a_bound_that_no_sample_comes_near_is_untested():
    verdict = checked(Bounded(-1, 10), np.tanh, SHORT)
    assert verdict.passed
    assert verdict.untested.startswith("no sample comes near the upper bound 10, the largest is 0.76")
    assert any(fact.startswith("untested: ") for fact in verdict.facts)


def test_a_bound_that_is_reached_is_tested():
    assert checked(Bounded(-0.8, 0.8), np.tanh, SHORT).untested == ""
    assert checked(Bounded(low=0), lambda x: np.maximum(x, 0), SHORT).untested == ""


def test_a_direction_of_an_input_that_changes_nothing_is_untested():
    inputs, only = {"x": (None, 3), "z": (None, 3)}, ("x",)
    ignored = checked(Monotonic(1), lambda x, z: z + 0 * x, SHORT, inputs=inputs, about=only)
    assert ignored.passed
    assert ignored.untested == "x does not change the output"
    assert checked(Monotonic(1), lambda x, z: z + x, SHORT, inputs=inputs, about=only).untested == ""


def test_a_function_knows_whether_it_varies():
    for call, varies in ((lambda x: 0 * x, False), (lambda x: x, True)):
        function, space, _ = function_of(call)
        function(space.random(np.random.default_rng(0), 4, space.forms[0]))
        assert function.varies is varies

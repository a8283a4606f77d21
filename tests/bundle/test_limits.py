"""A limit converts itself, and widens itself on a witness."""

from dataclasses import replace

import numpy as np
import pytest

from kexport.bundle.goldens import Golden
from kexport.bundle.limits import DECLARED, OutputLimit
from kexport.bundle.witnesses import Witness
from kexport.testing.closeness import assert_close

LIMIT = OutputLimit("y", 2.0, 1e-7, 5e-7, "float64 twin")
DECIBELS = replace(LIMIT, source=DECLARED, decibels=40.0)


def witness(limit, scale):
    return Witness(Golden("random", {}, {"y": np.zeros(1)}), "truth", {"y": limit}, {"y": scale})


def test_the_absolute_limit_is_in_the_unit_of_the_output():
    assert LIMIT.absolute == LIMIT.limit * LIMIT.scale


def test_a_ratio_bounds_the_root_mean_square_and_loosely_the_peak():
    assert LIMIT.amplitude == LIMIT.peak == LIMIT.limit
    assert_close(DECIBELS.amplitude, 10 ** (-40 / 20))
    assert DECIBELS.amplitude < DECIBELS.peak < 10 * DECIBELS.amplitude


def test_a_witness_widens_a_limit_and_never_narrows_it():
    assert LIMIT.widened_by(witness(1e-6, 3.0)) == replace(LIMIT, limit=1e-6, scale=3.0)
    assert LIMIT.widened_by(witness(1e-9, 0.1)) == LIMIT


def test_a_declared_limit_stays_on_a_witness():
    assert DECIBELS.widened_by(witness(1.0, 9.0)) == DECIBELS


@pytest.mark.parametrize("limit", [LIMIT, DECIBELS, replace(LIMIT, reason="12-bit sensor")])
def test_a_limit_comes_back_from_json(limit):
    assert OutputLimit.from_json({**limit.to_json(), "of a later writer": 1}) == limit

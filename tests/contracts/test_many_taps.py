"""More taps than a signal has samples loosen no limit."""

import numpy as np
import pytest

from kexport.contracts import LinearTimeInvariant
from kexport.contracts.filters.bench import rounding
from kexport.errors import UsageError

EPSILON = 2.0**-23


def test_taps_that_act_on_no_signal_add_no_rounding():
    x, few = np.ones((1, 16)), np.array([1.0, 2.0, 1.0])
    many = np.concatenate([few, np.zeros(10**5), np.full(10**5, 1e-3)])
    assert rounding(many, x, EPSILON, 16)[0] == rounding(few, x, EPSILON, 16)[0]
    assert rounding(np.full(10**6, 0.5), x, EPSILON, 16)[0] == rounding(np.full(16, 0.5), x, EPSILON, 16)[0]


@pytest.mark.parametrize("promise", [{"taps": [1e-6] * 10**6}, {"taps": [1.0], "skip": (0, 10**9)}])
def test_a_promise_that_no_signal_could_put_to_the_test_is_refused(promise):
    with pytest.raises(UsageError, match="needs a filter") as refused:
        LinearTimeInvariant(**promise)
    assert len(str(refused.value)) < 1000

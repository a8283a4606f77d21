"""How strictly artifacts are checked: read once from arguments, and the same in a worker process."""

import json

import pytest

from kexport.errors import UsageError
from kexport.parity.budget import Budget
from kexport.parity.strictness import DERIVED, Strictness
from kexport.parity.tolerance import Tolerance


def test_arguments_are_read_at_once():
    strictness = Strictness.of("30s", {"y": "40dB: int8 weights", "z": 1e-4})
    assert strictness.search == Budget(seconds=30.0)
    assert strictness.tolerance == {"y": Tolerance(decibels=40.0, reason="int8 weights"), "z": Tolerance(1e-4)}
    assert Strictness.of(None, None) == DERIVED


@pytest.mark.parametrize("arguments", [("soon", None), (None, {"y": "a little"})])
def test_what_cannot_be_read_is_refused(arguments):
    with pytest.raises(UsageError, match="unreadable"):
        Strictness.of(*arguments)


@pytest.mark.parametrize(
    "strictness",
    [
        DERIVED,
        Strictness.of("5000", {"y": "1e-4: 12-bit sensor"}),
        Strictness(Budget(2.5, seed=7), {"y": Tolerance(0.1)}),
    ],
)
def test_it_comes_back_from_json(strictness):
    assert Strictness.from_json(json.loads(json.dumps(strictness.to_json()))) == strictness

"""Budgets as people write them, and what cannot be read as one."""

import pytest

from kexport.bundle.budgets import Amount, Budgets, Drop
from kexport.errors import UsageError


def test_every_kind_is_read():
    budgets = Budgets.of(["sqnr=35dB", " accuracy = -0.5% ", "size=64KB", "latency=0.5x"])
    assert budgets.decibels == 35
    assert budgets.drop == Drop("accuracy", 0.5, True, True, "accuracy=-0.5%")
    assert budgets.size == Amount(64_000, False, "size=64KB")
    assert budgets.latency == Amount(0.5, True, "latency=0.5x")


@pytest.mark.parametrize(
    ("text", "value"),
    [("size=0.3x", 0.3), ("size=2KiB", 2048), ("size=12B", 12), ("latency=2ms", 0.002), ("latency=500 us", 0.0005)],
)
def test_amounts_have_units(text, value):
    budgets = Budgets.of(text)
    amount = budgets.size or budgets.latency
    assert amount.value == value
    assert amount.relative == text.endswith("x")


@pytest.mark.parametrize(
    "text",
    [
        "35dB", "sqnr=0dB", "sqnr=35", "size=64", "size=0x", "size=-3KB", "size=64kilo", "latency=2", "latency=0.5%",
        "accuracy=0.5%", "accuracy=-x", "=-0.5%", "speed=2x", "", "sqnr=1e400dB",
    ],
)  # fmt: skip
def test_what_is_no_budget_is_refused_with_what_would_be_one(text):
    with pytest.raises(UsageError, match="unreadable budget") as caught:
        Budgets.of(text)
    assert "expected:" in str(caught.value)
    if text.startswith("size"):
        assert "size=64KB" in str(caught.value)


def test_a_kind_is_given_once():
    with pytest.raises(UsageError, match=r"given twice: size=1KB and size=0\.3x"):
        Budgets.of(["size=1KB", "size=0.3x"])
    assert Budgets.of(None) == Budgets()

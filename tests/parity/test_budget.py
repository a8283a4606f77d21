import pytest

from kexport.errors import UsageError
from kexport.parity.budget import Budget, Clock


@pytest.mark.parametrize(
    ("text", "seconds", "evaluations"),
    [
        ("30s", 30, None),
        ("0.5s", 0.5, None),
        ("2m", 120, None),
        ("1h", 3600, None),
        (" 5000 ", None, 5000),
        ("5000,2m", 120, 5000),
        ("1h, 7", 3600, 7),
    ],
)
def test_a_time_or_a_number_of_evaluations_is_a_budget(text, seconds, evaluations):
    budget = Budget.parse(text, 7)
    assert (budget.seconds, budget.evaluations, budget.seed) == (seconds, evaluations, 7)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0s",
        "abc",
        "-5",
        "5 s",
        "1e3",
        "5000s!",
        "5d",
        "0.5",
        "nan",
        "inf",
        "9" * 400,
        "9" * 400 + "s",
        "5,",
        ",",
        "5,6",
        "1s,2m",
        "5,1s,2",
        "0,1s",
        "5;1s",
    ],
)
def test_what_is_no_budget_is_told_with_an_example(text):
    with pytest.raises(UsageError, match=r"unreadable budget|searches nothing") as refused:
        Budget.parse(text)
    assert "30s" in str(refused.value)
    assert "5000" in str(refused.value)


def test_a_budget_says_what_it_allows():
    assert str(Budget.parse("2m")) == "120 s"
    assert str(Budget.parse("5000")) == "5000 evaluations"
    assert str(Budget.parse("5000,1m")) == "5000 evaluations or 60 s"


def test_a_clock_of_evaluations_hands_out_no_more_than_there_are():
    clock = Clock(Budget.parse("300"))
    assert clock.left(256) == 256
    clock.evaluations += 256
    assert not clock.over
    assert clock.left(256) == 44
    clock.evaluations += 44
    assert clock.over
    assert clock.left(256) == 0


def test_a_clock_of_both_ends_with_the_first():
    clock = Clock(Budget(seconds=1e9, evaluations=3))
    assert not clock.over
    clock.evaluations += 3
    assert clock.over
    assert Clock(Budget(seconds=1e-9, evaluations=3)).over


def test_a_clock_of_seconds_ends_by_itself():
    clock = Clock(Budget(seconds=1e-9))
    assert clock.left(256) == 256
    assert clock.over

"""The hunt itself: what it finds, what it forgives, and that it repeats itself."""

import numpy as np
from functions import function_of

from kexport.contracts import Bounded, Effort, Function, Measured, hunt


def verdict_of(excess, domain="uniform(-1, 1)", **effort):
    """Of a hunt for an excess over a slack of 1."""
    function, space, slack = function_of(lambda x: x, shape=(None, 4), domains={"x": domain})

    def measure(population):
        return Measured(excess(function(population)), np.ones(len(population["x"])))

    return hunt(measure, space, slack.epsilon, Effort(**effort), unit="")


def test_a_slope_is_climbed_to_its_top():
    verdict = verdict_of(lambda x: 30 - 100 * np.abs(x - 0.123).max(axis=1), seconds=5.0)
    assert not verdict.passed
    place = verdict.broken_by["x"]
    assert ((place > 0.123 - 0.3) & (place < 0.123 + 0.3)).all()


def test_a_narrow_place_is_found_at_random():
    verdict = verdict_of(lambda x: np.where((np.abs(x[:, :2] - 0.4) < 0.01).all(axis=1), 9.0, -1.0), seconds=10.0)
    assert not verdict.passed


def test_what_an_ulp_of_the_inputs_moves_as_much_is_no_violation():
    verdict = verdict_of(
        lambda x: np.where(np.float32(x[:, 0] * 2**22) % 2 == 0, 50.0, -50.0), "uniform(0.5, 1)", samples=20_000
    )
    assert verdict.passed
    assert any("ill-conditioned" in fact for fact in verdict.facts)


def test_no_number_is_a_violation_and_no_finite_input_is_none():
    assert not verdict_of(lambda x: np.where(x[:, 0] > 0, np.nan, -1.0)).passed
    function, space, slack = function_of(lambda x: x, domains={"x": "choice(nan)"}, shape=(None, 4))
    nothing = Bounded(0, 1).check(function, space, slack)
    assert not nothing.ran
    assert not nothing.passed


def test_the_same_seed_gives_the_same_verdict():
    first, second = (verdict_of(lambda x: np.sin(9 * x).sum(axis=1) - 3.9, seed=3, seconds=60.0) for _ in range(2))
    assert (first.figure, first.tried) == (second.figure, second.tried)


def test_a_slow_function_is_tried_on_fewer_samples_and_the_verdict_says_so():
    function, space, slack = function_of(lambda x: x, shape=(None, 4))
    verdict = Bounded(-1, 1).check(function, space, slack, Effort(seconds=0.0))
    assert verdict.passed
    assert verdict.tried < 1000
    assert any("in 0 s" in fact for fact in verdict.facts)


def test_where_samples_cannot_be_put_together_each_is_a_call():
    calls = []

    def alone(feeds):
        calls.append(feeds["x"].shape)
        return {"y": feeds["x"] * 2}

    _, space, slack = function_of(lambda x: 2 * x, shape=(None, 4))
    space.batched = False
    space.forms = [{"x": (1, 4)}]
    single = Function(alone, space, ("x",), ("y",))
    assert Bounded(-2, 2).check(single, space, slack, Effort(samples=50)).passed
    assert set(calls) == {(1, 4)}
    assert not Bounded(-2, 1.9).check(single, space, slack, Effort(samples=50)).passed


def test_a_verdict_that_tells_of_some_turns_does_not_depend_on_how_long_the_search_goes_on():
    def verdict(seconds):
        function, space, slack = function_of(lambda x: np.prod(x, axis=1, keepdims=True), shape=(None, 4))
        return Bounded(-15, 15).check(function, space, slack, Effort(seconds=seconds, turns=2))

    short, long = verdict(0.0), verdict(0.3)
    assert (short.tried, short.figure, short.detail) == (long.tried, long.figure, long.detail)
    assert (short.metrics, short.untested) == (long.metrics, long.untested)


def test_a_counterexample_beyond_the_turns_that_are_told_of_breaks_the_promise_all_the_same():
    tried = []

    def late(x):
        tried.append(len(x))
        return x + 5.0 * (len(tried) > 12)

    function, space, slack = function_of(late, shape=(None, 4))
    verdict = Bounded(-1, 1).check(function, space, slack, Effort(seconds=30.0, turns=2))
    assert not verdict.passed
    assert verdict.tried > 2 * 256


def test_a_hunt_ends_where_nothing_comes_closer_and_not_near_the_limit():
    def tried(ratio, **effort):
        return verdict_of(lambda x: np.full(len(x), ratio), seconds=60.0, samples=60_000, **effort).tried

    assert 10_000 <= tried(0.2, patience=10_000) < 20_000
    assert tried(0.2, patience=None) >= 60_000, "as where a search was asked for"
    assert tried(0.9, patience=10_000) >= 60_000, "more than half broken"


def test_a_hunt_goes_on_while_it_comes_closer():
    seen = []

    def rising(x):
        seen.append(len(x))
        return np.full(len(x), 0.3 * sum(seen) / 60_000)

    assert verdict_of(rising, seconds=60.0, samples=60_000, patience=10_000).tried >= 60_000


def of_batches(call, contract=None, **effort):
    """The verdict on a promise to lie within -1 and 1, of a callable that is told each batch."""
    function, space, slack = function_of(call, shape=(None, 2))
    contract = contract or Bounded(-1, 1)
    verdict = contract.check(function, space, slack, Effort(**{"seconds": 30.0, **effort}))
    return verdict, lambda first: contract.check(function, space, slack, Effort(samples=1, first=[first]))


def test_what_breaks_in_a_late_row_of_a_batch_is_found_and_is_stored_with_the_batch_that_shows_it():
    def wrong_split(x):
        return np.tanh(5 * x) * np.where(np.arange(len(x)) >= 512, 1.5, 1.0)[:, None]

    verdict, again = of_batches(wrong_split)
    assert not verdict.passed
    row = len(verdict.broken_by["x"]) - 1
    assert row >= 512, "a smallest batch ends with the row that breaks the promise"
    assert verdict.remarks[0] == f"row {row} of a batch of {row + 1}; alone it keeps the promise"
    replayed = again(verdict.broken_by)
    assert not replayed.passed
    assert replayed.broken_by is verdict.broken_by, "so that it is stored once"
    assert replayed.figure > 0.4


def test_what_breaks_in_large_batches_only_is_stored_with_the_smallest_of_them():
    verdict, again = of_batches(lambda x: np.tanh(x) + 2.0 * (len(x) >= 1000))
    assert not verdict.passed
    assert len(verdict.broken_by["x"]) == max(1000, 1 + int(verdict.remarks[0].split()[1]))
    assert not again(verdict.broken_by).passed


def test_what_breaks_in_single_calls_only_is_no_ill_conditioned_sample():
    verdict, again = of_batches(lambda x: np.tanh(x) + 2.0 * (len(x) == 1))
    assert not verdict.passed
    assert len(verdict.broken_by["x"]) == 1
    assert not again(verdict.broken_by).passed


def test_an_output_that_is_no_number_in_a_batch_only_is_stored_with_the_batch():
    verdict, again = of_batches(lambda x: np.where(np.arange(len(x)) == 300, np.nan, np.tanh(x).T).T)
    assert not verdict.passed
    assert len(verdict.broken_by["x"]) == 301
    assert not again(verdict.broken_by).passed


def test_ill_conditioned_samples_that_exceed_more_do_not_hide_a_plain_break():
    def spiky(x):
        a, b = x[:, :1], x[:, 1:]
        spike = 5 * ((np.ascontiguousarray(a).view(np.int32) % 4 == 0) & (a > 0))
        return np.tanh(3 * b) + spike + 1.5 * ((b > 0.5) & (a <= 0))

    verdict, again = of_batches(spiky, turns=7, seconds=0.0)
    assert not verdict.passed
    assert not again(verdict.broken_by).passed


def test_an_ill_conditioned_sample_that_rounds_otherwise_in_a_batch_is_still_ill_conditioned():
    def rounding(x):
        jumps = np.where(np.float32(x[:, :1] * 2**22) % 2 == 0, 50.0, -50.0)
        return jumps * (1 + 1e-6 * (len(x) > 1))

    function, space, slack = function_of(rounding, shape=(None, 2), domains={"x": "uniform(0.5, 1)"}, scale=1.0)
    verdict = Bounded(-60, 40).check(function, space, slack, Effort(seconds=30.0, samples=20_000))
    assert verdict.passed
    assert any("ill-conditioned" in fact for fact in verdict.facts)

"""Intervals are those of the literature, and cover the true figure as often as they say."""

import numpy as np
from scipy import stats

from kexport import metrics
from kexport.metrics import change
from kexport.metrics._intervals import bootstrap, mean, paired_proportions, proportion
from kexport.metrics._means import Errors, RightAnswers
from kexport.metrics.f1 import MacroF1
from kexport.testing.closeness import assert_close


def test_the_interval_of_a_proportion_is_that_of_wilson():
    for right in (0, 1, 29, 40):
        expected = stats.binomtest(right, 40).proportion_ci(method="wilson")
        assert_close(proportion(np.repeat([1.0, 0.0], [right, 40 - right])).ends, [*expected], scale=1, ulps=16)


def test_positions_that_depend_on_each_other_count_as_one_and_independent_ones_as_many():
    rng = np.random.default_rng(0)
    together = np.repeat(rng.integers(2, size=100), 20).reshape(100, 20).mean(axis=1)
    apart = rng.integers(2, size=(100, 20)).mean(axis=1)
    one, many = proportion(together, 20), proportion(apart, 20)
    width = [proportion(np.repeat([0.0, 1.0], count // 2)) for count in (100, 2000)]
    assert one.high - one.low > 0.9 * (width[0].high - width[0].low)
    assert many.high - many.low < 1.3 * (width[1].high - width[1].low)
    assert proportion(np.ones(100), 20).low < proportion(np.ones(2000)).low, "right answers that are all right"


def test_the_interval_of_a_mean_is_that_of_the_central_limit_theorem():
    values = np.random.default_rng(1).normal(size=50)
    expected = stats.norm.interval(0.95, values.mean(), stats.sem(values))
    assert_close(mean(values).ends, [*expected], ulps=16)
    assert mean(values[:1]) is None


def test_the_interval_of_a_root_has_the_roots_of_the_ends():
    errors = np.random.default_rng(1).uniform(size=50)
    low, high = mean(errors).ends
    assert_close(Errors(errors, np.sqrt).interval().ends, np.sqrt([low, high]))


def test_a_bootstrap_is_the_same_each_time_and_as_wide_as_the_normal_interval():
    values = np.random.default_rng(2).normal(size=400)

    def average(weights):
        return float(np.average(values, weights=weights))

    found = bootstrap(average, 400)
    assert found == bootstrap(average, 400)
    assert 0.9 < (found.high - found.low) / np.subtract(*mean(values).ends[::-1]) < 1.1
    assert bootstrap(average, 1) is None


def test_the_interval_of_a_difference_is_that_of_agresti_and_min():
    # McNemar's table of 1600 voters in "Categorical Data Analysis" (2002), table 10.1: 150 and 86 change their minds
    found = paired_proportions(150, 86, 1600)
    difference, count = (150.5 - 86.5) / 1602, 1602
    error = np.sqrt((150.5 + 86.5) / count - difference**2) / np.sqrt(count)
    assert_close(found.ends, difference + error * np.array(stats.norm.interval(0.95)), ulps=16, scale=1)
    same = paired_proportions(0, 0, 400)
    assert same.low < 0 < same.high, "even where no sample differs"


def test_intervals_cover_the_true_figure_as_often_as_they_say():
    rng = np.random.default_rng(5)
    inside = {"proportion": 0, "difference": 0, "f1": 0}
    runs = 120
    for _ in range(runs):
        right = rng.uniform(size=200) < 0.9
        low, high = RightAnswers(right.astype(float)).interval().ends
        inside["proportion"] += low <= 90 <= high
        lost, won = rng.multinomial(200, [0.05, 0.02, 0.93])[:2]
        low, high = paired_proportions(int(lost), int(won), 200).ends
        inside["difference"] += low <= 0.03 <= high
        labels = rng.integers(2, size=200)  # each class with the same chance of 0.8 to be right: F1 is 0.8
        low, high = (
            MacroF1(labels[:, None], np.where(rng.uniform(size=200) < 0.8, labels, 1 - labels)[:, None]).interval().ends
        )
        inside["f1"] += low <= 80 <= high
    least = stats.binom.ppf(1e-4, runs, 0.93) / runs
    assert all(count / runs >= least for count in inside.values()), inside


def test_a_change_tells_the_rows_and_how_much_worse_it_is():
    before, after = RightAnswers(np.array([1.0, 1, 0, 1])), RightAnswers(np.array([1.0, 0, 1, 0]))
    found = change(metrics.get("accuracy"), before, after)
    assert (found.drop, found.worse.tolist(), found.better.tolist()) == (25, [1, 3], [2])
    errors = Errors(np.array([1.0, 2, 3])), Errors(np.array([1.5, 5, 2]))
    found = change(metrics.get("mae"), *errors)
    assert_close(found.drop, 2.5 / 3, ulps=8)
    assert (found.worse.tolist(), found.better.tolist()) == ([1, 0], [2]), "the largest first"


def test_what_rounding_explains_is_no_change():
    errors = np.array([1.0, 2, 3])
    found = change(metrics.get("mae"), Errors(errors), Errors(errors * (1 + 1e-7)))
    assert (len(found.worse), len(found.better)) == (0, 0)
    assert not found.exceeds(0)
    assert change(metrics.get("mae"), Errors(errors), Errors(errors * (1 + 1e-4))).exceeds(0)


def test_a_row_flips_where_it_has_one_position():
    metric = metrics.get("accuracy")
    assert change(metric, RightAnswers(np.array([1.0, 0])), RightAnswers(np.array([0.0, 0]))).flips
    assert not change(metric, RightAnswers(np.array([1.0, 0]), 2), RightAnswers(np.array([0.5, 0]), 2)).flips


def test_a_drop_of_exactly_what_is_allowed_does_not_exceed_it():
    right = np.repeat([1.0, 0.0], [923, 77])
    fewer = np.repeat([1.0, 0.0], [918, 82])
    found = change(metrics.get("accuracy"), RightAnswers(right), RightAnswers(fewer))
    assert found.drop > 0.5, "floating-point numbers do not hold it"
    assert not found.exceeds(0.5)
    assert found.exceeds(0.49)

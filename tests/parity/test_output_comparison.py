import json
import tracemalloc
from typing import Any

import numpy as np
import pytest

from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import TensorSpec
from kexport.parity.output_comparison import OutputComparison
from kexport.testing.closeness import assert_close

FLOAT = TensorSpec("y", "float32", (None, None))
SCORES = TensorSpec("y", "float32", (None, 2))
WHOLE = TensorSpec("y", "int64", (None,))
LIMIT = OutputLimit("y", 2.0, 1e-7, 5e-7, "float64 twin")
EXACT = OutputLimit("y", 1.0, 0.0, 0.0, "exact")
TRUTH = np.array([[1.0, -2.0], [0.5, 0.25]])


def outcome(value, truth=TRUTH, spec=FLOAT, limit=LIMIT, keras_output=None):
    comparison = OutputComparison(spec, limit)
    comparison.add("case", truth, value, keras_output)
    return comparison.outcome()


def outcome_of_all(labels, truth, values):
    comparison = OutputComparison(FLOAT, LIMIT)
    for label, value in zip(labels, values, strict=True):
        comparison.add(label, truth, value)
    return comparison.outcome()


def test_what_is_within_the_limit_passes_with_its_figure():
    result = outcome((TRUTH + 4e-7).astype("float32"))
    assert result.passed
    assert 0 < result.figure <= LIMIT.limit


def test_a_number_beyond_the_limit_fails_and_names_the_element():
    value = TRUTH.astype("float32")
    value[1, 0] += 4e-6
    result = outcome(value)
    assert not result.passed
    assert result.figure > LIMIT.limit
    assert "element [1, 0]" in result.problems[0]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (TRUTH, "dtype float64 instead of float32"),
        (TRUTH[:1].astype("float32"), "shape (1, 2) instead of (2, 2)"),
        (np.array([[1, -2], [np.nan, 0.25]], "float32"), "NaN in the wrong place"),
        (np.array([[np.inf, -2], [0.5, 0.25]], "float32"), "+Inf in the wrong place"),
    ],
)
def test_structure_is_compared_before_numbers(value, words):
    assert words in outcome(value).problems[0]


def test_nan_and_infinity_pass_where_the_truth_has_them_too():
    truth = np.array([[np.nan, np.inf], [-np.inf, 1e300], [1, 2]])
    value = np.array([[np.nan, np.inf], [-np.inf, np.inf], [1, 2]], "float32")  # 1e300 is beyond float32
    assert outcome(value, truth).passed
    assert not outcome(np.where(np.isnan(value), 0, value).astype("float32"), truth).passed


def test_where_no_number_was_compared_nothing_passed():
    truth = np.array([[np.nan, np.inf]])
    result = outcome(truth.astype("float32"), truth)
    assert not result.passed
    assert not result.ran
    assert "no number was compared" in result.problems[0]
    wrong = outcome(np.array([[np.nan, 1]], "float32"), truth)
    assert wrong.ran
    assert not wrong.passed
    both = OutputComparison(FLOAT, LIMIT)
    both.add("case", truth, truth.astype("float32"))
    both.add("numbers", TRUTH, TRUTH.astype("float32"))
    assert both.outcome().passed


def test_a_single_case_may_have_nothing_but_infinity():
    alone = OutputComparison(FLOAT, LIMIT, one_case=True)
    alone.add("case", np.array([[np.inf]]), np.array([[np.inf]], "float32"))
    assert alone.outcome().passed


def test_an_answer_of_keras_that_is_another_number_is_right_and_no_third_one_is():
    own = np.array([[1.0, -3.0], [0.5, 0.25]], "float32")
    for value, passes in (
        (own.copy(), True),
        (TRUTH.astype("float32"), True),
        ((own + TRUTH).astype("float32") / 2, False),
    ):
        assert outcome(value, keras_output=own).passed is passes


def test_every_case_that_fails_is_reported():
    wrong = [np.zeros((1, 2), "float32"), TRUTH.astype("float64")]
    result = outcome_of_all("ab", TRUTH, wrong)
    assert [problem[0] for problem in result.problems] == ["a", "b"]
    assert result.figure is None


def test_whole_numbers_are_compared_exactly():
    truth = np.array([1, 2, 3])
    assert outcome(truth.copy(), truth, WHOLE, EXACT).passed
    result = outcome(np.array([1, 2, 4]), truth, WHOLE, EXACT)
    assert result.figure == 1
    assert not result.passed


def test_a_limit_so_wide_that_nothing_follows_is_no_pass():
    result = outcome(TRUTH.astype("float32"), limit=OutputLimit("y", 2.0, 0.5, 2.0, "float64 twin"))
    assert not result.passed
    assert not result.ran


def test_what_keras_itself_says_is_as_right_as_the_truth():
    truth, own = np.array([1, 2, 3]), np.array([1, 2, 4])
    result = outcome(own.copy(), truth, WHOLE, EXACT, own)
    assert result.passed
    assert "1 elements match Keras" in result.remarks[-1]
    assert not outcome(np.array([1, 2, 5]), truth, WHOLE, EXACT, own).passed


def test_infinity_where_keras_itself_overflows_is_right_and_elsewhere_is_not():
    truth = np.array([[1.0, 0.5], [0.25, 0.125]])
    own = np.array([[np.nan, 0.5], [0.25, 0.125]], "float32")
    elsewhere = np.array([[1.0, np.nan], [0.25, 0.125]], "float32")
    for value, passes in ((own.copy(), True), (truth.astype("float32"), True), (elsewhere, False)):
        assert outcome(value, truth, keras_output=own).passed is passes


def test_text_is_compared_as_text_whether_it_comes_as_bytes_or_not():
    spec = TensorSpec("y", "string", (None,))
    truth = np.array(["a", "é"])
    assert outcome(np.array([b"a", "é".encode()], object), truth, spec, EXACT).passed
    assert outcome(np.array(["a", "é"]), truth, spec, EXACT).passed
    assert not outcome(np.array(["a", "e"], object), truth, spec, EXACT).passed


def test_scalars_and_complex_numbers_are_compared_too():
    scalar = TensorSpec("y", "float32", ())
    assert outcome(np.array(1.0, "float32"), np.array(1.0), scalar).passed
    assert not outcome(np.array(1.1, "float32"), np.array(1.0), scalar).passed
    pair = TensorSpec("y", "complex64", (None,))
    truth = np.array([1 + 2j, complex(np.nan, 1)])
    assert outcome(truth.astype("complex64"), truth, pair).passed
    assert not outcome(np.array([1 + 2.1j, complex(np.nan, 1)], "complex64"), truth, pair).passed
    assert not outcome(np.array([1 + 2j, 1], "complex64"), truth, pair).passed


def test_the_figures_of_a_comparison_say_where_and_how_much():
    value = TRUTH.astype("float32")
    value[1, 0] += 3e-7
    metrics = outcome(value).metrics
    assert metrics["samples"] == 2
    assert metrics["elements"] == 4
    assert metrics["worst"]["index"] == [1, 0]
    assert metrics["worst"]["golden"] == "case"
    assert metrics["worst"]["truth"] == 0.5
    assert_close(metrics["noise_multiple"], metrics["ulp"] * 2**-23 / LIMIT.floor)
    assert_close(metrics["sqnr_db"], 20 * np.log10(np.linalg.norm(TRUTH) / np.linalg.norm(value - TRUTH)))
    assert metrics["limit_source"] == "float64 twin"
    assert outcome(TRUTH.astype("float32")).metrics["sqnr_db"] is None


@pytest.mark.parametrize("far", [1e300, 1.7e308])
def test_figures_that_no_report_can_hold_are_left_out(far):
    spec = TensorSpec("y", "float64", (None, None))
    result = outcome(np.full((2, 2), -far), np.full((2, 2), 1e-200), spec)
    assert not result.passed
    json.dumps(result.metrics, allow_nan=False)
    assert result.metrics["sqnr_db"] is None


def test_label_flips_are_counted_for_rows_of_scores():
    assert outcome(TRUTH.astype("float32"), spec=SCORES).metrics["label_flips"] == 0
    assert outcome(TRUTH[:, ::-1].astype("float32"), spec=SCORES).metrics["label_flips"] == 2
    assert "label_flips" not in outcome(TRUTH.astype("float32")).metrics


def moved(value, moves, truth=TRUTH, spec=FLOAT, limit=LIMIT):
    comparison = OutputComparison(spec, limit)
    comparison.add("case", truth, value, ulp_sensitivity=np.asarray(moves, "float32"))
    return comparison.outcome()


def test_an_element_at_an_edge_is_set_apart_and_counted():
    value = TRUTH.astype("float32")
    value[0, 1] = 7.0
    result = moved(value, [[0, 1], [0, 0]])
    assert result.passed
    assert "1 elements in 1 of 2 samples are set apart" in result.remarks[-1]
    assert (result.metrics["set_apart"], result.metrics["samples_set_apart"]) == (1, 1)


def test_what_is_set_apart_hides_no_failure_beside_it():
    value = TRUTH.astype("float32")
    value[0, 1], value[1, 0] = 7.0, 0.6
    result = moved(value, [[0, 1], [0, 0]])
    assert result.ran
    assert "element [1, 0]" in result.problems[0]
    assert result.metrics["worst"]["index"] == [1, 0]


def test_an_edge_at_which_the_answer_is_the_truth_is_judged():
    for moves in (np.ones((2, 2)), np.full((2, 2), np.inf)):
        result = moved(TRUTH.astype("float32"), moves)
        assert result.passed
        assert result.metrics["set_apart"] == 0
    whole = np.array([1, 2, 3])
    assert moved(whole.copy(), [1, 1, 1], whole, WHOLE, EXACT).passed


def test_infinity_at_an_edge_where_the_truth_is_a_number_is_set_apart():
    value = TRUTH.astype("float32")
    value[0] = np.inf
    assert moved(value, np.full((2, 2), np.inf)).metrics["set_apart"] == 2


def test_mostly_set_apart_is_no_pass_and_no_failure_and_a_failure_beside_it_is_one():
    value = TRUTH.astype("float32") + np.array([[1, 5], [1, 0]], "float32")
    edges = [[1, 1], [1, 0]]
    unsure = moved(value, edges)
    assert not unsure.passed
    assert not unsure.ran
    assert "3 of 4 elements differ" in unsure.problems[0]
    value[1, 1] += 1
    wrong = moved(value, edges)
    assert wrong.ran
    assert not wrong.passed


def test_a_wrong_dtype_or_shape_fails_whatever_can_be_concluded_from_numbers():
    wide = OutputLimit("y", 2.0, 0.5, 2.0, "float64 twin")
    for value in (TRUTH, TRUTH[:1].astype("float32")):
        result = outcome(value, limit=wide)
        assert result.ran
        assert not result.passed


def test_an_ill_conditioned_element_has_a_limit_of_its_own():
    value = TRUTH.astype("float32")
    value[0, 0] += 3e-3
    assert moved(value, [[1e-3, 0], [0, 0]]).passed
    assert moved(value, [[1e-3, 0], [0, 0]]).metrics["ill_conditioned"] == 1
    value[0, 0] += 3e-3
    gross = moved(value, [[1e-3, 0], [0, 0]])
    assert not gross.passed
    assert "one ulp moves the model" in gross.problems[0]


def test_where_one_ulp_makes_infinity_of_a_number_both_are_right():
    value = TRUTH.astype("float32")
    value[0, 0] = np.inf
    assert moved(value, [[np.inf, 0], [0, 0]]).passed
    value[1, 1] = np.nan
    assert not moved(value, [[np.inf, 0], [0, 0]]).passed


def test_a_tie_of_whole_numbers_is_set_apart_and_no_other():
    truth = np.array([1, 2, 3])
    assert moved(np.array([9, 2, 3]), [1, 0, 0], truth, WHOLE, EXACT).passed
    assert not moved(np.array([9, 2, 4]), [1, 0, 0], truth, WHOLE, EXACT).passed


def test_a_declared_limit_of_whole_numbers_is_the_largest_difference():
    truth = np.array([10, 20, 30])
    declared = OutputLimit("y", 1.0, 0.0, 2.0, "declared", "rounding mode of the sensor")
    within = outcome(np.array([12, 20, 29]), truth, WHOLE, declared)
    assert within.passed
    assert within.figure == 2
    assert within.unit == "of difference"
    assert within.metrics["limit_reason"] == "rounding mode of the sensor"
    assert not outcome(np.array([13, 20, 29]), truth, WHOLE, declared).passed


DECIBELS = OutputLimit("y", 2.0, 1e-7, 5e-7, "declared", decibels=40.0)


def test_a_ratio_of_signal_to_error_is_held_from_below():
    value = (TRUTH + 1e-3).astype("float32")
    good = outcome(value, limit=DECIBELS)
    assert good.passed
    assert good.unit == "dB"
    assert good.figure > good.limit == DECIBELS.decibels
    bad = outcome((TRUTH + 0.1).astype("float32"), limit=DECIBELS)
    assert not bad.passed
    assert bad.figure < DECIBELS.decibels
    assert "element" in bad.problems[0]
    assert outcome(TRUTH.astype("float32"), limit=DECIBELS).passed


def test_what_is_set_apart_has_no_part_in_the_ratio():
    value = (TRUTH + 1e-3).astype("float32")
    value[0, 1] = 7.0
    assert moved(value, [[0, 1], [0, 0]], limit=DECIBELS).passed
    assert not moved(value, [[1, 0], [0, 0]], limit=DECIBELS).passed


def test_the_signal_that_is_set_apart_does_not_make_up_for_errors():
    truth = np.array([[1e6, -2.0], [0.5, 0.25]])
    value = (truth + 0.1).astype("float32")
    assert not moved(value, [[1e6, 0], [0, 0]], truth, limit=DECIBELS).passed


def test_a_ratio_is_not_held_against_one_ulp():
    """What is quantised errs by far more than the limit of an ill-conditioned element."""
    value = (TRUTH + 1e-3).astype("float32")
    assert moved(value, np.full(TRUTH.shape, 1e-5), limit=DECIBELS).passed


def test_many_goldens_are_summed_up_in_few_words():
    result = outcome_of_all([f"case {i}" for i in range(300)], TRUTH, [TRUTH] * 300)
    assert len(result.problems) < 30
    assert "more" in result.problems[-1]


def test_a_comparison_keeps_no_golden():
    truth, value = np.zeros((1000, 100)), np.zeros((1000, 100), "float32")
    comparison = OutputComparison(FLOAT, LIMIT)
    comparison.add("warm", truth, value)
    tracemalloc.start()
    for index in range(50):
        comparison.add(f"case {index}", truth.copy(), value.copy())
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < truth.nbytes


def test_the_distribution_counts_every_element_by_the_size_of_its_error():
    truth = np.zeros((2, 4))
    value = np.array([[0, 2e-8, 3e-8, 5e-8], [1e-7, -1e-7, 0, 4e-7]], "float32")
    found: Any = outcome(value, truth).metrics["distribution"]
    assert found["exact"] == 2
    ends = [found["from"] * 2**index for index in range(len(found["counts"]) + 1)]
    errors = np.abs(value.astype("float64")).ravel() / LIMIT.scale
    assert found["counts"] == np.histogram(errors[errors > 0], ends)[0].tolist()
    assert sum(found["counts"]) == 6


def test_elements_that_are_judged_apart_are_in_the_distribution_once():
    comparison = OutputComparison(FLOAT, LIMIT)
    comparison.add("case", TRUTH, TRUTH.astype("float32"), ulp_sensitivity=np.array([[1.0, 0.0], [0.0, 0.0]]))
    found: Any = comparison.outcome().metrics["distribution"]
    assert found["exact"] + sum(found["counts"]) == TRUTH.size - 1

import warnings

import numpy as np
import pytest

from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Signature, TensorSpec
from kexport.parity.output_comparison import OutputComparison
from kexport.parity.scores import local, scores

FLOAT = TensorSpec("y", "float32", (None, 2))
LIMIT = OutputLimit("y", 2.0, 1e-7, 5e-7, "float64 twin")
EXACT = OutputLimit("y", 1.0, 0.0, 0.0, "exact")
TRUTH = np.array([[1.0, -2.0], [0.5, 0.25], [1.5, -1.0]])


def scored(value, truth=TRUTH, spec=FLOAT, limit=LIMIT, batched=True):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return scores(Signature((), (spec,)), {"y": limit}, {"y": np.asarray(value)}, {"y": truth}, batched)


def test_each_sample_has_its_own_distance_in_limits():
    value = TRUTH.astype("float32")
    value[1, 0] += 2e-6
    value[2, 1] += 5e-7
    found = scored(value)
    assert found[0] == 0
    assert 1.8 < found[1] < 2.2
    assert 0 < found[2] <= 1


def test_what_scores_within_the_limit_passes_a_comparison_and_what_scores_beyond_fails_it():
    rng = np.random.default_rng(0)
    for size in (1e-7, 4e-7, 1e-6, 1e-5):
        truth = np.round(rng.normal(0, 0.6, (50, 2)), 3)
        value = (truth + size * rng.normal(size=truth.shape)).astype("float32")
        for index, score in enumerate(scored(value, truth)):
            row = slice(index, index + 1)
            limit = local(FLOAT, LIMIT, truth[row])
            comparison = OutputComparison(FLOAT, limit)
            comparison.add("case", truth[row], value[row])
            assert comparison.outcome().passed is bool(score <= 1)


@pytest.mark.parametrize(
    "odd", [[np.nan, -2.0], [np.inf, -2.0], [1.0, -np.inf]], ids=["a NaN", "an infinity", "a negative infinity"]
)
def test_nan_and_infinity_are_infinitely_far_from_numbers_and_at_home_where_the_truth_has_them(odd):
    value = TRUTH.astype("float32")
    value[0] = odd
    assert scored(value)[0] == np.inf
    assert (scored(value)[1:] == 0).all()
    truth = TRUTH.copy()
    truth[0] = odd
    assert (scored(value, truth) == 0).all()
    assert scored(TRUTH.astype("float32"), truth)[0] == np.inf


def test_beside_an_infinity_numbers_are_still_compared():
    truth = np.array([[np.inf, 1.0]])
    assert scored(np.array([[np.inf, 1.1]], "float32"), truth)[0] > 1


def test_a_truth_beyond_the_dtype_is_infinity_there():
    truth = np.array([[1e300, 1.0]])
    with np.errstate(over="ignore"):
        value = truth.astype("float32")
    assert scores(Signature((), (FLOAT,)), {"y": LIMIT}, {"y": value}, {"y": truth}, True)[0] == 0


@pytest.mark.parametrize("value", [TRUTH, TRUTH[:2].astype("float32"), TRUTH.T.astype("float32")])
def test_another_dtype_or_shape_is_infinitely_far_for_every_sample(value):
    assert (scored(value) == np.inf).all()
    assert len(scored(value)) == 3


def test_whole_numbers_differ_or_do_not():
    spec = TensorSpec("y", "int32", (None, 2))
    truth = np.array([[1, 2], [3, 4]], "int32")
    assert scored(truth.copy(), truth, spec, EXACT).tolist() == [0, 0]
    found = scored(np.array([[1, 2], [3, 5]], "int32"), truth, spec, EXACT)
    assert found[0] == 0
    assert found[1] > 1
    declared = OutputLimit("y", 1.0, 0.0, 2.0, "declared")
    assert scored(truth + np.int32(2), truth, spec, declared).tolist() == [1, 1]
    assert scored(truth - np.int32(3), truth, spec, declared).tolist() == [1.5, 1.5]


def test_unsigned_numbers_do_not_wrap_around():
    spec, truth = TensorSpec("y", "uint8", (None, 1)), np.array([[255], [0]], "uint8")
    declared = OutputLimit("y", 1.0, 0.0, 2.0, "declared")
    assert scored(np.array([[0], [255]], "uint8"), truth, spec, declared).tolist() == [127.5, 127.5]


def test_the_worst_output_counts():
    two = Signature((), (FLOAT, TensorSpec("z", "int32", (None,))))
    limits = {"y": LIMIT, "z": EXACT}
    right = {"y": TRUTH, "z": np.arange(3, dtype="int32")}
    value = {"y": TRUTH.astype("float32"), "z": np.array([0, 1, 3], "int32")}
    assert (scores(two, limits, value, right, True) > 1).tolist() == [False, False, True]


def test_an_output_without_a_batch_is_one_sample():
    value = TRUTH.astype("float32")
    value[2, 0] += 1
    assert scored(value, batched=False).shape == (1,)
    assert scored(value, batched=False)[0] > 1
    scalar = TensorSpec("y", "float32", ())
    assert scored(np.float32(1), np.array(1.0), scalar, batched=False).tolist() == [0]


def test_nothing_at_all_is_right():
    assert scored(np.zeros((3, 0), "float32"), np.zeros((3, 0))).tolist() == [0, 0, 0]


def test_texts_and_complex_numbers_have_scores_too():
    spec = TensorSpec("y", "string", (None,))
    assert (scored(np.array([b"a", b"b"], object), np.array(["a", "c"]), spec, EXACT) > 1).tolist() == [False, True]
    pair = TensorSpec("y", "complex64", (None, 1))
    truth = np.array([[1 + 2j], [np.inf + 1j]])
    assert scored(truth.astype("complex64"), truth, pair).tolist() == [0, 0]
    assert scored(np.array([[1 + 2.1j], [1]], "complex64"), truth, pair).min() > 1


def test_a_larger_truth_than_on_the_goldens_widens_the_scale_and_a_smaller_one_does_not():
    assert local(FLOAT, LIMIT, np.array([[100.0, np.inf]])).scale == 100
    assert local(FLOAT, LIMIT, np.array([[0.1, 0.1]])).scale == LIMIT.scale
    value = (TRUTH * 1000).astype("float32")
    value[0, 0] += 1e-4
    assert scored(value, TRUTH * 1000)[0] < 1


def test_a_ratio_in_decibels_bounds_the_peak_of_the_error():
    declared = OutputLimit("y", 2.0, 1e-7, 5e-7, "declared", decibels=40.0)
    assert 0.01 < declared.peak < 0.1
    assert local(FLOAT, declared, TRUTH).decibels is None
    assert scored((TRUTH + 0.02).astype("float32"), limit=declared).max() < 1
    assert scored((TRUTH + 0.3).astype("float32"), limit=declared).min() > 1


def test_outputs_that_were_never_anything_but_zero_have_scores():
    nothing = OutputLimit("y", 0.0, 1e-7, 5e-7, "twin")
    assert scored(np.zeros((2, 3), "float32"), np.zeros((2, 3)), limit=nothing).tolist() == [0, 0]
    assert scored(np.ones((1, 3), "float32"), np.zeros((1, 3)), limit=nothing).tolist() == [np.inf]

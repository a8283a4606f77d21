import numpy as np
import pytest

from kexport.bundle.manifest import OutputLimit
from kexport.bundle.signature import TensorSpec
from kexport.parity.compare import compare

FLOAT = TensorSpec("y", "float32", (None, None))
WHOLE = TensorSpec("y", "int64", (None,))
LIMIT = OutputLimit("y", 2.0, 1e-7, 5e-7, "float64 twin")
EXACT = OutputLimit("y", 1.0, 0.0, 0.0, "exact")
TRUTH = np.array([[1.0, -2.0], [0.5, 0.25]])


def outcome(value, truth=TRUTH, spec=FLOAT, limit=LIMIT):
    return compare(spec, limit, ["case"], [truth], [value])


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
    truth = np.array([[np.nan, np.inf], [-np.inf, 1e300]])
    value = np.array([[np.nan, np.inf], [-np.inf, np.inf]], "float32")  # 1e300 is beyond float32
    assert outcome(value, truth).passed
    assert not outcome(np.where(np.isnan(value), 0, value).astype("float32"), truth).passed


def test_every_case_that_fails_is_reported():
    wrong = [np.zeros((1, 2), "float32"), TRUTH.astype("float64")]
    result = compare(FLOAT, LIMIT, ["a", "b"], [TRUTH, TRUTH], wrong)
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
    result = compare(WHOLE, EXACT, ["case"], [truth], [own.copy()], [own])
    assert result.passed
    assert "1 elements are as in Keras" in result.worst
    assert not compare(WHOLE, EXACT, ["case"], [truth], [np.array([1, 2, 5])], [own]).passed


def test_infinity_where_keras_itself_overflows_is_right_and_elsewhere_is_not():
    truth = np.array([[1.0, 0.5], [0.25, 0.125]])
    own = np.array([[np.nan, 0.5], [0.25, 0.125]], "float32")
    elsewhere = np.array([[1.0, np.nan], [0.25, 0.125]], "float32")
    for value, passes in ((own.copy(), True), (truth.astype("float32"), True), (elsewhere, False)):
        assert compare(FLOAT, LIMIT, ["case"], [truth], [value], [own]).passed is passes


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

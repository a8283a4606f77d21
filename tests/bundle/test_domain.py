import math

import numpy as np
import pytest

from kexport.bundle.declared_domain import default_for
from kexport.bundle.domain import Choice, Ints, Normal, Samples, Uniform, parse
from kexport.bundle.signature import TensorSpec
from kexport.errors import UsageError

EVERY = [
    Uniform(-5, 5),
    Uniform(-0.1, 0.1 + 0.2),
    Uniform(np.float32(0.1), np.float64(1e17)),
    Uniform(-0.0, 5e-324),
    Uniform(-1e308, 1.5e308),
    Normal(1 / 3, 2),
    Ints(0, 10),
    Ints(0, 1 << 64),
    Ints(-(1 << 63), 1 << 63),
    Choice(1, 2.5, 4),
    Choice(0.0, math.nan, -math.inf, math.inf),
    Choice(np.float32(0.1), np.int64(3)),
    Choice("a", "b, c)", "'"),
]


@pytest.mark.parametrize("domain", EVERY, ids=str)
def test_a_domain_reads_its_own_text_to_the_last_bit(domain):
    again = parse(str(domain))
    assert again == domain
    assert str(again) == str(domain)


@pytest.mark.parametrize("text", ["-1,5", "-1..5", "[-1, 5]", "(-1, 5)", "-1:5", "-1 to 5"])
def test_a_range_as_people_write_it_is_answered_with_what_it_may_mean(text):
    with pytest.raises(UsageError, match=r"hint: +uniform\(-1, 5\) for real numbers between these, ints\(-1, 5\)"):
        parse(text)


@pytest.mark.parametrize("domain", EVERY, ids=str)
def test_what_a_domain_samples_is_its_own_nearest_value(domain):
    values = domain.sample(np.random.default_rng(0), (200,))
    assert np.array_equal(domain.project(values), values, equal_nan=values.dtype.kind == "f")
    if domain.corners() and not isinstance(domain, Normal):
        finite = values[np.isfinite(values)]
        assert min(domain.corners()) <= finite.min()
        assert finite.max() <= max(domain.corners())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "uniform",
        "uniform(1)x",
        "uniform(-5)",
        "normal()",
        "uniform(1, 1)",
        "uniform(2, 1)",
        "uniform(nan, 1)",
        "ints(0.5, 2)",
        "choice()",
        "normal(0, 0)",
        "uniform(__import__('os'), 1)",
        "box(1, 2)",
        "uniform(1, 2, 3)",
        "uniform(1e400, 2)",
        "normal(0, inf)",
        "choice(1)(2)",
        "choice(-'a')",
        "choice('a', 1)",
        "choice(nan())",
        "ints(0, 36893488147419103232)",
        "ints(-1, 1e9)",
        "ints(-1, 18446744073709551615)",
        "choice(1" + "0" * 400 + ")",
        "samples(3)",
    ],
)
def test_what_cannot_be_read_is_refused(text):
    with pytest.raises(UsageError):
        parse(text)


@pytest.mark.parametrize(
    ("domain", "given", "nearest"),
    [
        (Uniform(-1, 2), [-7.0, -1.0, 0.5, 9.0, math.inf, math.nan], [-1.0, -1.0, 0.5, 2.0, 2.0, 2.0]),
        (Normal(1, 2), [-99.0, 1.0, 99.0, -math.inf], [-15.0, 1.0, 17.0, -15.0]),
        (Ints(-2, 4), [-9.0, 0.4, 0.6, 3.0, 9.0, math.nan], [-2.0, 0.0, 1.0, 3.0, 3.0, 3.0]),
        (Choice(4, 1, 2.5), [-9.0, 1.8, 1.7, 3.2, 3.3, 9.0, math.nan], [1.0, 2.5, 1.0, 2.5, 4.0, 4.0, 4.0]),
        (Choice(0.0, math.nan, math.inf), [3.0, math.nan, math.inf, -math.inf], [0.0, math.nan, math.inf, 0.0]),
        (Choice(math.nan), [3.0], [math.nan]),
    ],
    ids=str,
)
def test_a_domain_knows_its_nearest_values_in_the_dtype_it_is_given(domain, given, nearest):
    for dtype in ("float32", "float64"):
        found = domain.project(np.array(given, dtype).reshape(1, -1))
        assert found.dtype == dtype
        assert np.array_equal(found, np.array([nearest], dtype), equal_nan=True)


def test_whole_and_complex_numbers_are_projected_without_loss():
    wide = Ints(0, 1 << 63).project(np.array([-3, (1 << 63) - 1], "int64"))
    assert wide.tolist() == [0, (1 << 63) - 1]
    assert Ints(-9, 300).project(np.array([0, 255], "uint8")).tolist() == [0, 255]
    assert Uniform(-1, 1).project(np.array([3 + 4j], "complex64")).tolist() == [1]


def test_recorded_data_projects_between_its_least_and_largest_values_of_each_element():
    domain = Samples(np.array([[0.0, 10.0], [1.0, 20.0], [np.nan, 15.0]]))
    assert domain.project(np.array([[-5.0, 5.0], [0.5, 99.0]])).tolist() == [[0.0, 10.0], [0.5, 20.0]]
    assert domain.project(np.full((1, 3), 99.0)).tolist() == [[20.0, 20.0, 20.0]]  # of another length
    assert Samples(np.array([["a"], ["b"]])).project(np.array([["z"]])).tolist() == [["z"]]
    assert Samples(np.array([True, True])).project(np.array([False])).tolist() == [True]


def test_recorded_data_is_sampled_whole_or_cut_to_its_beginning_and_never_made_longer():
    domain, rng = Samples(np.arange(20.0).reshape(4, 5)), np.random.default_rng(0)
    for length in (5, 3):
        drawn = domain.sample(rng, (50, length))
        assert np.array_equal(np.unique(drawn, axis=0), domain.values[:, :length])
    for shape in ((2, 6), (2, 5, 1), (2,)):
        with pytest.raises(UsageError, match="too small"):
            domain.sample(rng, shape)


def test_a_domain_tells_how_long_a_step_is_and_whether_anything_lies_between_its_values():
    rows = np.array([[0.0], [2.0], [np.inf]])
    told = [
        (domain.spread(), domain.is_discrete)
        for domain in (
            Uniform(-1, 4),
            Normal(3, 2),
            Ints(0, 5),
            Choice(1, 9),
            Choice("a"),
            Samples(rows),
            Samples(rows[:2].astype(int)),
            Samples(np.array(["a"])),
        )
    ]
    assert told == [
        (5.0, False), (2.0, False), (4.0, True), (0.0, True), (0.0, True), (1.0, False), (1.0, True), (0.0, True),
    ]  # fmt: skip


def test_corners_are_finite_and_all_values_of_a_few_are_told():
    assert Choice(1.0, math.nan, -math.inf, 3.0, 2.0).corners() == [1.0, 3.0]
    assert Choice(math.nan).corners() == []
    assert list(Ints(3, 6).points()) == [3, 4, 5]
    assert list(Choice("b", "a").points()) == ["b", "a"]
    assert not any(len(domain.points()) for domain in (Ints(0, 1 << 40), Uniform(), Normal(), Samples(np.zeros(3))))


@pytest.mark.parametrize("dtype", ["float32", "complex64", "bool", "int8", "uint64", "string"])
def test_the_default_domain_gives_values_that_the_dtype_holds(dtype):
    spec = TensorSpec("x", dtype, (None,))
    domain = default_for(spec)
    values = domain.sample(np.random.default_rng(0), (50,))
    assert np.array_equal(values.astype(spec.numpy_dtype), values) or spec.is_float

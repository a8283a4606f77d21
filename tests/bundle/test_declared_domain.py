import math

import numpy as np
import pytest

from kexport.bundle.declared_domain import coerce
from kexport.bundle.domain import Choice, Ints, Samples, Uniform
from kexport.bundle.signature import TensorSpec
from kexport.errors import UsageError


def spec(dtype="float32", *shape):
    return TensorSpec("x", dtype, shape or (None,))


def recorded(given, declared):
    """The values of the samples that a declaration becomes."""
    domain = coerce("x", given, declared)
    assert isinstance(domain, Samples)
    return domain.values


def test_declarations_of_every_kind():
    assert coerce("x", (0, 5), spec()) == Uniform(0, 5)
    assert coerce("x", (0, 5), spec("int32")) == Ints(0, 5)
    assert coerce("x", "ints(0, 3)", spec("int32")) == Ints(0, 3)
    assert coerce("x", "choice(0.0, nan)", spec()) == Choice(0.0, math.nan)
    assert isinstance(coerce("x", np.zeros((4, 2)), spec("float32", None, 2)), Samples)
    assert recorded([["a"], [b"b"]], spec("string", None, 1)).tolist() == [["a"], ["b"]]
    for wrong in (3.0, np.zeros((0, 2)), object()):
        with pytest.raises(UsageError, match="neither a range nor samples"):
            coerce("x", wrong, spec())


@pytest.mark.parametrize(
    ("dtype", "text"),
    [
        ("float32", "uniform(-1e39, 0)"),
        ("float16", "uniform(0, 1e5)"),
        ("uint8", "ints(0, 257)"),
        ("uint8", "uniform(-1, 1)"),
        ("int8", "choice(1.5, 2)"),
        ("int32", "choice(nan, 1)"),
        ("bool", "ints(0, 3)"),
        ("string", "ints(0, 3)"),
        ("int32", "choice('a', 'b')"),
        ("float32", "choice('a')"),
        ("int32", "ints(0, 2147483649)"),
    ],
)
def test_a_domain_that_the_dtype_does_not_hold_is_refused(dtype, text):
    with pytest.raises(UsageError, match="does not fit input 'x'"):
        coerce("x", text, spec(dtype))


@pytest.mark.parametrize(
    ("dtype", "text"),
    [
        ("uint8", "ints(0, 256)"),
        ("uint64", "ints(0, 18446744073709551616)"),
        ("bool", "choice(0, 1)"),
        ("uint8", "uniform(0, 255)"),
        ("float32", "choice(inf, 1)"),
        ("complex64", "uniform(0, 1)"),
        ("bfloat16", "normal(0, 1)"),
        ("string", "choice('a')"),
    ],
)
def test_a_domain_that_the_dtype_holds_is_taken(dtype, text):
    assert str(coerce("x", text, spec(dtype))) == text


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        ("int32", [[1.5]]),
        ("int8", [[300]]),
        ("float32", [[1e39]]),
        ("float32", [[1j]]),
        ("bool", [[2]]),
        ("uint8", [[-1]]),
        ("int32", [[np.nan]]),
    ],
)
def test_recorded_values_that_a_cast_would_change_are_refused(dtype, values):
    with pytest.raises(UsageError, match=f"do not fit dtype {dtype}"):
        coerce("x", np.array(values), spec(dtype, None, 1))


@pytest.mark.parametrize("shape", [(), (None,), (None, 3), (None, 2, 1)])
def test_recorded_samples_of_another_shape_are_refused(shape):
    with pytest.raises(UsageError, match="wrong shape"):
        coerce("x", np.zeros((4, 2)), TensorSpec("x", "float32", shape))


def test_recorded_samples_take_the_dtype_of_the_input():
    assert recorded(np.array([[1.0], [2.0]]), spec("int32", None, 1)).dtype == "int32"
    assert recorded(np.array([[np.nan], [np.inf]]), spec("float32", None, 1)).dtype == "float32"

import numpy as np
import pytest

from kexport.bundle.domain import Choice, Ints, Uniform
from kexport.bundle.signature import TensorSpec
from kexport.parity.conditioning import distance, movement, nudged, widened
from kexport.parity.tolerance import EPSILON

FLOAT = TensorSpec("y", "float32", (None,))
WHOLE = TensorSpec("y", "int64", (None,))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_every_number_moves_to_a_neighbour_up_and_down(dtype):
    values = np.array([1.0, -1.5, 3.75, 1e-3, -200.0], dtype)
    seen = set()
    for seed in range(20):
        moved = nudged(values, np.random.default_rng(seed), EPSILON[dtype])
        assert moved.dtype == dtype
        steps = np.abs(moved - values) / np.spacing(np.abs(values))
        assert ((steps >= 0.5) & (steps <= 1)).all()  # below a power of 2 the neighbour is nearer
        seen |= {tuple(np.sign(moved - values))}
    assert len(seen) > 5


def test_what_is_no_number_between_numbers_stays_as_it_is():
    rng = np.random.default_rng(0)
    for values in (np.array([1, 2]), np.array([True]), np.array(["a"]), np.array([0.0, np.nan, np.inf], "float32")):
        np.testing.assert_array_equal(nudged(values, rng, EPSILON["float32"]), values)


def test_numbers_move_by_the_unit_of_the_arithmetic_and_not_of_their_dtype():
    moved = nudged(np.ones(1, "float32"), np.random.default_rng(0), EPSILON["float16"])
    assert moved[0] in (1 - EPSILON["float16"] / 2, 1 + EPSILON["float16"])


def test_single_values_between_which_nothing_lies_stay():
    rng = np.random.default_rng(0)
    for domain, values in ((Choice(-1.5, 0.25, 7.0), [-1.5, 0.25, 7.0]), (Ints(-3, 4), [-3.0, 0.0, 2.0, 3.0])):
        array = np.array(values, "float32")
        np.testing.assert_array_equal(nudged(array, rng, EPSILON["float32"], domain), array)


def test_an_element_moves_as_far_as_its_farthest_copy():
    truth = np.array([1.0, 2.0, 3.0])
    own, other = np.array([1.0, 2.5, 3.0], "float32"), np.array([1.25, 2.0, 3.0], "float32")
    np.testing.assert_array_equal(movement(FLOAT, own, truth, [other]), [0.25, 0.5, 0.0])


def test_infinity_that_comes_or_goes_is_infinitely_far():
    truth = np.array([1.0, np.inf, 3.0])
    own = np.array([1.0, np.inf, 3.0], "float32")
    other = np.array([np.nan, 9.0, 3.0], "float32")
    np.testing.assert_array_equal(movement(FLOAT, own, truth, [other]), [np.inf, np.inf, 0.0])


def test_another_whole_number_is_one_step_however_far():
    own = np.array([1, 2, 3])
    np.testing.assert_array_equal(movement(WHOLE, own, own, [np.array([1, 90, 3])]), [0.0, 1.0, 0.0])


def test_a_shape_that_depends_on_values_moves_throughout():
    own = np.array([1.0, 2.0])
    assert np.isinf(movement(FLOAT, own, own, [np.array([1.0])])).all()
    assert (movement(WHOLE, own.astype("int64"), own.astype("int64"), [np.array([1])]) == 1).all()


def test_distance_counts_where_both_are_numbers():
    np.testing.assert_array_equal(
        distance(np.array([np.nan, np.inf, 1.0], "float32"), np.array([np.nan, 1.0, 3.0])), [0, 0, 2]
    )
    assert widened(np.ones(1, "complex64")).dtype == "complex128"
    assert widened(np.ones(1, "int8")).dtype == "int8"


def test_at_the_ends_of_the_domain_numbers_move_inwards_and_what_is_no_number_stays():
    values = np.array([1.0, -1.0, 0.5, np.nan], "float32")
    for seed in range(10):
        moved = nudged(values, np.random.default_rng(seed), EPSILON["float16"], Uniform(-1, 1))
        assert moved.dtype == "float32"
        assert np.nanmax(moved) <= 1
        assert np.nanmin(moved) >= -1
        assert np.isnan(moved[3])
        assert (moved[:3] != values[:3]).all()

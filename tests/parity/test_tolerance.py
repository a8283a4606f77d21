import numpy as np

from kexport.bundle.signature import TensorSpec
from kexport.parity.tolerance import for_kernels, limit_for

FLOAT = TensorSpec("y", "float32", (None,))


def test_the_limit_is_a_small_multiple_of_the_measured_floor():
    limit = limit_for(FLOAT, scale=10.0, noise=1e-4, source="float64 twin")
    assert limit.floor == 1e-5
    assert limit.limit == 4 * limit.floor


def test_a_floor_near_zero_leaves_a_few_ulps_of_the_scale():
    assert limit_for(FLOAT, 10.0, 0.0, "float64 twin").limit == 4 * 2.0**-23


def test_an_output_that_is_always_zero_is_compared_absolutely():
    assert limit_for(FLOAT, 0.0, 0.0, "float64 twin").scale == 1.0


def test_whole_numbers_may_not_differ():
    assert limit_for(TensorSpec("y", "int32", (None,)), 5.0, 0.0, "float64 twin").limit == 0.0


def test_one_long_sum_in_place_of_sixteen_lanes_stays_within_the_limit_that_its_order_is_given():
    rng = np.random.default_rng(0)
    terms = rng.normal(size=(400, 4096)).astype("float32")
    truth = terms.astype("float64").sum(axis=1)
    lanes = np.cumsum(terms.reshape(400, -1, 16), axis=1, dtype="float32")[:, -1]
    noise = np.abs(np.cumsum(lanes, axis=1, dtype="float32")[:, -1] - truth).max()
    limit = limit_for(FLOAT, float(np.abs(truth).max()), float(noise), "float64 twin")
    one_by_one = np.abs(np.cumsum(terms, axis=1, dtype="float32")[:, -1] - truth).max() / limit.scale
    assert one_by_one > noise / limit.scale
    assert one_by_one < for_kernels(limit, 4.0).limit


def test_the_order_of_summation_leaves_a_model_of_few_operations_its_few_ulps():
    limit = limit_for(FLOAT, 1.0, 1e-8, "float64 twin")
    assert for_kernels(limit, 4.0).limit == limit.limit

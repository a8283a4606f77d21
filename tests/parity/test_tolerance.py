from kexport.bundle.signature import TensorSpec
from kexport.parity.tolerance import limit_for

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

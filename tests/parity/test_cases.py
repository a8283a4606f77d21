import numpy as np
import pytest

from kexport.bundle.domain import Ints, Samples, Uniform
from kexport.bundle.signature import Signature, TensorSpec
from kexport.errors import ModelError
from kexport.parity.cases import plan

SIGNAL = Signature((TensorSpec("x", "float32", (None, None)),), (TensorSpec("y", "float32", (None, None)),))


def planned(signature, domains, accepts=lambda feeds: None):
    return list(plan(signature, domains, accepts))


def test_several_batch_sizes_lengths_and_corners_are_tried():
    cases = planned(SIGNAL, {"x": Uniform(-2, 5)})
    shapes = {feeds["x"].shape for _, feeds in cases}
    assert len({shape[0] for shape in shapes}) >= 3
    assert len({shape[1] for shape in shapes}) >= 3
    values = {label: feeds["x"] for label, feeds in cases}
    assert np.all(values["all at the lower end"] == -2)
    assert np.all(values["all at the upper end"] == 5)
    assert not values["zeros"].any()
    assert np.count_nonzero(values["impulse"][0]) == 1
    assert set(values["alternating ends"].ravel()) == {-2, 5}
    assert all(feeds["x"].dtype == "float32" and feeds["x"].min() >= -2 and feeds["x"].max() <= 5 for _, feeds in cases)


def test_the_same_seed_gives_the_same_cases():
    one, other = (planned(SIGNAL, {"x": Uniform()}) for _ in range(2))
    assert all(np.array_equal(a["x"], b["x"]) for (_, a), (_, b) in zip(one, other, strict=True))


def test_lengths_that_the_model_refuses_are_left_out():
    cases = planned(SIGNAL, {"x": Uniform()}, lambda feeds: "too short" if feeds["x"].shape[1] < 20 else None)
    assert min(feeds["x"].shape[1] for _, feeds in cases) >= 20


def test_a_model_that_refuses_every_length_is_an_error_with_its_reason():
    with pytest.raises(ModelError, match="never fits"):
        planned(SIGNAL, {"x": Uniform()}, lambda feeds: "never fits")


def test_whole_numbers_stay_within_their_range():
    signature = Signature((TensorSpec("x", "int32", (None, 4)),), SIGNAL.outputs)
    for _, feeds in planned(signature, {"x": Ints(0, 7)}):
        assert feeds["x"].dtype == "int32"
        assert 0 <= feeds["x"].min() <= feeds["x"].max() <= 6


def test_recorded_samples_of_several_inputs_stay_together():
    two = Signature(
        (TensorSpec("a", "float32", (None, 1)), TensorSpec("b", "float32", (None, 1))),
        (TensorSpec("y", "float32", (None, 1)),),
    )
    rows = np.arange(10.0)[:, None]
    cases = planned(two, {"a": Samples(rows), "b": Samples(rows * 10)})
    assert {len(feeds["a"]) for _, feeds in cases} >= {1, 2, 5}
    assert all(np.array_equal(feeds["b"], feeds["a"] * 10) for _, feeds in cases)

import numpy as np
import pytest

from kexport.bundle.domain import Choice, Ints, Normal, Samples, Uniform
from kexport.bundle.signature import Signature, TensorSpec
from kexport.parity.space import PATTERNS, Space


def signature(*dtypes, batch=None):
    inputs = tuple(TensorSpec(f"x{i}", dtype, (batch, 4)) for i, dtype in enumerate(dtypes))
    return Signature(inputs, (TensorSpec("y", "float32", (batch, 4)),))


def space(domain, dtype="float32", batch=None):
    return Space(signature(dtype, batch=batch), {"x0": domain}, [{"x0": (2, 4)}, {"x0": (5, 4)}, {"x0": (3, 4)}])


@pytest.mark.parametrize(
    ("domain", "dtype"),
    [
        (Uniform(-2, 5), "float32"),
        (Uniform(3, 4), "float64"),
        (Uniform(0, 1), "float16"),
        (Normal(1, 2), "float32"),
        (Ints(-3, 9), "int32"),
        (Ints(0, 200), "uint8"),
        (Choice(-1.0, 0.5, 7.0), "float32"),
        (Choice(0, 1), "bool"),
        (Choice("a", "b"), "string"),
    ],
    ids=str,
)
def test_every_pattern_lies_in_the_domain_and_has_the_dtype(domain, dtype):
    own, rng = space(domain, dtype), np.random.default_rng(0)
    (form,) = own.forms
    labels = set()
    for kind in range(PATTERNS):
        label, population = own.structured(kind, rng, 32, form)
        labels.add(label)
        values = population["x0"]
        assert values.shape == (32, 4)
        assert values.dtype == own.inputs[0].numpy_dtype or values.dtype.kind == "U"
        np.testing.assert_array_equal(values, own.project(population)["x0"])
        if values.dtype.kind in "fiu":
            corners = domain.corners() if not isinstance(domain, Normal) else [-15, 17]
            assert min(corners) <= values.min() <= values.max() <= max(corners)
    assert len(labels) == PATTERNS


def test_shapes_that_differ_in_the_batch_alone_are_one_form():
    assert space(Uniform()).forms == [{"x0": (4,)}]
    assert space(Uniform()).batched


def test_a_model_with_a_fixed_batch_is_asked_whole_calls():
    own = space(Uniform(), batch=3)
    assert not own.batched
    assert {"x0": (3, 4)} in own.forms


def test_corners_are_met_and_both_ends_mixed():
    _, population = space(Uniform(-2, 5)).structured(1, np.random.default_rng(0), 256, {"x0": (4,)})
    assert set(np.unique(population["x0"])) == {-2, 5}
    assert len(np.unique(population["x0"], axis=0)) == 2**4


def test_recorded_rows_of_several_inputs_stay_together():
    rows = np.arange(40, dtype="float32").reshape(10, 4)
    own = Space(
        signature("float32", "float32"), {"x0": Samples(rows), "x1": Samples(rows * 2)}, [{"x0": (1, 4), "x1": (1, 4)}]
    )
    drawn = own.random(np.random.default_rng(1), 64, own.forms[0])
    np.testing.assert_array_equal(drawn["x0"] * 2, drawn["x1"])
    assert len(np.unique(drawn["x0"], axis=0)) > 5
    assert own.recorded


def test_inputs_without_a_recording_are_drawn_apart():
    own = Space(signature("float32", "float32"), {"x0": Uniform(), "x1": Uniform()}, [{"x0": (1, 4), "x1": (1, 4)}])
    drawn = own.random(np.random.default_rng(1), 8, own.forms[0])
    assert not np.array_equal(drawn["x0"], drawn["x1"])

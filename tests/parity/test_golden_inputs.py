import itertools
import tracemalloc

import numpy as np
import pytest

from kexport.bundle.domain import Choice, Ints, Samples, Uniform
from kexport.bundle.samples import split
from kexport.bundle.signature import Signature, TensorSpec
from kexport.errors import ModelError
from kexport.parity.golden_inputs import plan

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


def test_an_input_without_elements_has_cases_too():
    empty = Signature((TensorSpec("x", "float32", (None, 0)),), SIGNAL.outputs)
    assert {feeds["x"].shape[1] for _, feeds in planned(empty, {"x": Uniform(-2, 5)})} == {0}


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


def test_batches_and_lengths_grow_and_shrink_between_consecutive_cases():
    shapes = [feeds["x"].shape for _, feeds in planned(SIGNAL, {"x": Uniform()})]
    for axis in (0, 1):
        signs = {np.sign(after[axis] - before[axis]) for before, after in itertools.pairwise(shapes)}
        assert {-1, 1} <= signs
        assert shapes[0][axis] != shapes[1][axis]
    first = [batch for batch, _ in shapes]
    assert 1 in first[3:]  # a single sample after larger batches
    assert max(batch for batch, _ in shapes[:2]) > shapes[2][0] > 1
    assert all(before != after for before, after in itertools.pairwise(shapes))
    assert len({length for _, length in shapes[4:]}) > 1
    static = Signature((TensorSpec("x", "float32", (None, 3)),), SIGNAL.outputs)
    assert {feeds["x"].shape[0] for _, feeds in planned(static, {"x": Uniform()})} >= {1, 2, 5}


@pytest.mark.parametrize(
    "domain",
    [
        Ints(3, 40),
        Choice(2.0, 7.0, 5.0),
        Choice(-1.0, 1.0, 3.0),
        Choice(-1.0, 0.0, 3.0),
        Choice("a", "b", "c"),
        Choice(0.0, np.nan, -np.inf),
    ],
    ids=str,
)
@pytest.mark.parametrize("shape", [(None,), (None, 2), (None, None), (None, 100)])
def test_every_value_of_a_few_is_tried_and_no_other(domain, shape):
    dtype = "string" if isinstance(domain.points()[0], str) else "float32"
    signature = Signature((TensorSpec("x", dtype, shape),), SIGNAL.outputs)
    cases = dict(planned(signature, {"x": domain}))
    values = np.unique(cases["every value"]["x"])
    assert np.array_equal(values, np.unique(np.array(domain.points(), values.dtype)), equal_nan=dtype != "string")
    for feeds in cases.values():
        assert np.array_equal(domain.project(feeds["x"]), feeds["x"], equal_nan=dtype != "string")


def test_large_whole_numbers_reach_their_ends_exactly():
    signature = Signature((TensorSpec("x", "int64", (None, 2)),), SIGNAL.outputs)
    cases = dict(planned(signature, {"x": Ints(-(1 << 63), 1 << 63)}))
    assert (cases["all at the upper end"]["x"] == (1 << 63) - 1).all()
    assert cases["impulse"]["x"].max() == (1 << 63) - 1
    assert set(cases["alternating ends"]["x"].ravel().tolist()) == {-(1 << 63), (1 << 63) - 1}


def of_inputs(count):
    specs = tuple(TensorSpec(f"x{index}", "float32", (None, 2)) for index in range(count))
    return Signature(specs, SIGNAL.outputs), {spec.name: Uniform(-1, 2) for spec in specs}


@pytest.mark.parametrize("count", [2, 3, 5, 8])
def test_any_two_inputs_are_at_opposite_ends_once(count):
    signature, domains = of_inputs(count)
    found = [feeds for label, feeds in planned(signature, domains) if "the rest at the lower" in label]
    assert len(found) <= 3
    for one, other in itertools.combinations(domains, 2):
        assert any((feeds[one] == 2).all() != (feeds[other] == 2).all() for feeds in found)
    assert all(np.isin(feeds[name], (-1, 2)).all() for feeds in found for name in domains)
    upper = [{name for name in domains if (feeds[name] == 2).all()} for feeds in found]
    assert count > 3 or all({name} in upper for name in domains)


def test_the_number_of_cases_stays_small_and_their_labels_differ():
    signature, domains = of_inputs(4)
    for cases in (planned(signature, domains), planned(SIGNAL, {"x": Uniform()}), planned(SIGNAL, {"x": Ints(0, 9)})):
        assert len(cases) <= 14
        assert len({label for label, _ in cases}) == len(cases)


TWO = Signature(
    (TensorSpec("a", "float32", (None, 1)), TensorSpec("b", "float32", (None, 1))),
    (TensorSpec("y", "float32", (None, 1)),),
)


@pytest.mark.parametrize("count", [1, 3, 8, 10, 5000])
def test_recorded_samples_of_several_inputs_stay_together_and_every_one_to_check_is_there(count):
    rows = np.arange(count, dtype="float32")[:, None]
    cases = planned(TWO, {"a": Samples(rows), "b": Samples(rows * 10)})
    batches = [len(feeds["a"]) for _, feeds in cases]
    assert batches[:3] == [1, 2, 5]
    assert max(batches) <= 1024
    assert all(np.array_equal(feeds["b"], feeds["a"] * 10) for _, feeds in cases)
    tried = np.concatenate([feeds["a"].ravel() for _, feeds in cases])
    wanted = split(count)[0]
    assert np.array_equal(np.unique(tried), wanted)
    assert len(tried) == max(len(wanted), 8)  # each once, where there are enough of them
    assert all("recorded" in label for label, _ in cases)


def test_batches_of_large_samples_are_small():
    spec = TensorSpec("x", "float32", (None, 1 << 17))
    cases = planned(Signature((spec,), ()), {"x": Samples(np.zeros((100, 1 << 17), "float32"))})
    assert max(feeds["x"].size for _, feeds in cases) <= 1 << 20


def test_recorded_samples_are_drawn_one_batch_at_a_time():
    spec = TensorSpec("x", "float32", (None, 1000))
    values = np.zeros((10_000, 1000), "float32")
    tracemalloc.start()
    for _, feeds in plan(Signature((spec,), ()), {"x": Samples(values)}, lambda feeds: None):
        assert len(feeds["x"]) <= 1024
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < values.nbytes / 10


def test_recordings_of_dynamic_length_are_tried_at_half_their_length_when_the_model_takes_that():
    rows = np.arange(40 * 9.0).reshape(40, 9)
    for refusal, lengths in ((None, {9, 5}), ("too short", {9})):
        cases = planned(SIGNAL, {"x": Samples(rows)}, lambda feeds, refusal=refusal: refusal)
        assert {feeds["x"].shape[1] for _, feeds in cases} == lengths
        assert all(np.array_equal(feeds["x"][:, 0] % 9, 0 * feeds["x"][:, 0]) for _, feeds in cases)


def test_inputs_beside_recorded_ones_are_tried_at_their_corners():
    cases = planned(TWO, {"a": Samples(np.arange(20.0)[:, None]), "b": Uniform(-3, 4)})
    assert {-3, 4} <= {value for _, feeds in cases for value in feeds["b"].ravel()}
    assert all(np.isin(feeds["a"], np.arange(20)).all() for _, feeds in cases)


def test_a_fixed_batch_takes_its_rows_together_and_all_of_them():
    spec = TensorSpec("x", "float32", (4, 1))
    cases = planned(Signature((spec,), ()), {"x": Samples(np.arange(403.0)[:, None])})
    assert all(feeds["x"].shape == (4, 1) for _, feeds in cases)
    assert np.array_equal(np.unique([feeds["x"] for _, feeds in cases]), split(403, 4)[0])

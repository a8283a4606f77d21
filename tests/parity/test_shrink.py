import numpy as np

from kexport.bundle.domain import Choice, Ints, Uniform
from kexport.bundle.signature import Signature, TensorSpec
from kexport.parity.shrink import simplified
from kexport.parity.space import Space
from kexport.testing.closeness import assert_close


def plain(domain, fails, shape=(40,), dtype="float32", seed=0):
    signature = Signature((TensorSpec("x", dtype, (None, *shape)),), (TensorSpec("y", "float32", (None, 1)),))
    space = Space(signature, {"x": domain}, [{"x": (1, *shape)}])
    sample = space.random(np.random.default_rng(seed), 1, space.forms[0])
    calls = []

    def counted(population):
        calls.append(len(population["x"]))
        np.testing.assert_array_equal(space.project(population)["x"], population["x"])
        return np.array([fails(row) for row in population["x"]])

    assert fails(sample["x"][0])
    found = simplified(space, sample, counted)["x"]
    assert found.shape == sample["x"].shape
    assert found.dtype == sample["x"].dtype
    assert fails(found[0]), "what is kept must fail"
    return found[0], calls


def test_what_has_no_part_in_the_failure_is_set_to_zero_and_the_rest_is_round():
    threshold = 0.4
    found, _ = plain(Uniform(0.5, 1), lambda row: row[7] > threshold)
    np.testing.assert_array_equal(found, np.where(np.arange(40) == 7, found[7], 0.5))
    signed, _ = plain(Uniform(-1, 1), lambda row: abs(row[7]) > 0.1)
    assert np.flatnonzero(signed).tolist() == [7]
    assert_close(signed[7], round(float(signed[7]), 1), scale=1)


def test_elements_that_are_wrong_only_together_both_stay():
    found, _ = plain(Uniform(-1, 1), lambda row: row[3] != 0 and row[30] != 0)
    assert {3, 30} <= set(np.flatnonzero(found).tolist())
    assert np.count_nonzero(found) < 40


def test_a_failure_that_needs_all_of_it_is_left_as_it_is():
    found, _ = plain(Uniform(0.1, 1), lambda row: row.sum() > 0 and len(np.unique(row)) > 30)
    assert len(np.unique(found)) > 30


def test_whole_numbers_and_choices_stay_in_their_domain():
    found, _ = plain(Ints(3, 50), lambda row: row[5] > 3, dtype="int32", seed=1)
    assert set(np.delete(found, 5)) == {3}
    chosen, _ = plain(Choice(2.0, 7.0, -4.0), lambda row: row.max() == 7)
    assert np.count_nonzero(chosen == 7) < 40
    assert set(chosen) <= {2.0, 7.0, -4.0}


def test_large_samples_need_few_calls_of_few_samples():
    _, calls = plain(Uniform(-1, 1), lambda row: abs(row[9, 9]) > 1e-3, shape=(100, 100))
    assert max(calls) <= 128
    assert sum(calls) < 2000


def test_a_failure_that_is_gone_leaves_the_sample_alone():
    signature = Signature((TensorSpec("x", "float32", (None, 4)),), (TensorSpec("y", "float32", (None, 1)),))
    space = Space(signature, {"x": Uniform()}, [{"x": (1, 4)}])
    sample = space.random(np.random.default_rng(0), 1, space.forms[0])
    found = simplified(space, sample, lambda population: np.zeros(len(population["x"]), bool))
    np.testing.assert_array_equal(found["x"], sample["x"])

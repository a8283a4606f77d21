import numpy as np
import pytest

from kexport.bundle.domain import Bins, Choice, Domain, Features, Ints, Samples, Uniform
from kexport.bundle.signature import Signature, TensorSpec
from kexport.parity.golden_inputs import plan

OUTPUTS = (TensorSpec("y", "float32", (None, 1)),)
KEYS = Choice(*(f"key {index}" for index in range(40)))


def planned(domains, *specs):
    return list(plan(Signature(specs, OUTPUTS), domains, lambda feeds: None))


@pytest.mark.parametrize("shape", [(None, 1), (1, 1), (3, 1), (1, 4), (4,)])
def test_every_key_occurs_whatever_the_batch(shape):
    cases = planned({"x": KEYS}, TensorSpec("x", "string", shape))
    assert set(KEYS.values) <= {value for _, feeds in cases for value in feeds["x"].ravel()}
    assert all(feeds["x"].shape[1:] == shape[1:] for _, feeds in cases)
    assert len({label for label, _ in cases}) == len(cases)


def test_a_sample_of_several_keys_holds_each_of_them_alone_once():
    cases = planned({"x": KEYS}, TensorSpec("x", "string", (None, 5)))
    alone = {row[0] for _, feeds in cases for row in feeds["x"] if len(set(row)) == 1}
    assert alone >= set(KEYS.values)


def test_every_edge_is_approached_from_both_sides_beside_another_input():
    bins = Bins(0, 10, 11, 100)
    domains: dict[str, Domain] = {"x": bins, "image": Uniform()}
    cases = planned(domains, TensorSpec("x", "float32", (None, 1)), TensorSpec("image", "float32", (None, 224, 224, 3)))
    values = np.concatenate([feeds["x"].ravel() for _, feeds in cases])
    assert set(np.asarray(bins.points(), np.float32)) <= set(values)
    assert max(feeds["image"].size for _, feeds in cases) <= 1 << 20


def test_every_value_of_each_feature_occurs_and_each_feature_keeps_to_its_own():
    domain = Features(Ints(0, 9), Uniform(5, 6), Choice(10.0, 20.0, 70.0))
    cases = planned({"x": domain}, TensorSpec("x", "float32", (None, 3)))
    rows = np.concatenate([feeds["x"] for _, feeds in cases])
    assert set(rows[:, 0]) == set(range(9))
    assert set(rows[:, 2]) == {10, 20, 70}
    assert np.array_equal(domain.project(rows), rows)
    assert len(np.unique(rows[:, 1])) > 5


def test_keys_beside_recorded_samples_all_occur():
    specs = TensorSpec("a", "float32", (None, 1)), TensorSpec("x", "string", (None, 1))
    cases = planned({"a": Samples(np.ones((9, 1), "float32")), "x": KEYS}, *specs)
    assert set(KEYS.values) <= {value for _, feeds in cases for value in feeds["x"].ravel()}
    assert all(len(feeds["a"]) == len(feeds["x"]) for _, feeds in cases)


def test_features_of_integers_keep_to_their_own_rows():
    domain = Features(Ints(0, 10), Ints(0, 4), Ints(-3, 300))
    cases = planned({"x": domain}, TensorSpec("x", "int32", (None, 3)))
    rows = np.concatenate([feeds["x"] for _, feeds in cases])
    assert rows.dtype == "int32"
    assert np.array_equal(domain.project(rows), rows)
    assert [rows.min(axis=0).tolist(), rows.max(axis=0).tolist()] == [[0, 0, -3], [9, 3, 299]]

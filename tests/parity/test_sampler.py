import numpy as np

from kexport.bundle.domain import Samples, Uniform
from kexport.bundle.signature import Signature, TensorSpec
from kexport.parity.sampler import Sampler
from kexport.parity.space import Space

SIGNATURE = Signature((TensorSpec("x", "float32", (None, None)),), (TensorSpec("y", "float32", (None, None)),))
SHAPES = [{"x": (2, 3)}, {"x": (1, 8)}]


def search(seed=0, domain=None, shapes=SHAPES, signature=SIGNATURE, targets=("one", "two")):
    return Sampler(Space(signature, {"x": domain or Uniform(-2, 5)}, shapes), list(targets), seed)


def walked(own, rounds, most=1 << 30):
    """The trials of a search whose samples are the worse, the larger their mean is."""
    trials = []
    for _ in range(rounds):
        trial = own.ask(most)
        trials.append(trial)
        scores = np.clip(trial.population["x"].mean(axis=1), 0, None)
        own.tell(trial, {"one": scores, "two": scores / 2})
    return trials


def test_the_same_seed_asks_the_same_and_another_one_does_not():
    one, same, other = (walked(search(seed), 40) for seed in (3, 3, 4))
    for a, b in zip(one, same, strict=True):
        assert (a.form, a.origin) == (b.form, b.origin)
        np.testing.assert_array_equal(a.population["x"], b.population["x"])
    assert not all(a.population["x"].shape == b.population["x"].shape for a, b in zip(one, other, strict=True))


def test_never_more_samples_than_allowed():
    for most in (1, 2, 100):
        assert all(trial.count <= most for trial in walked(search(), 30, most))


def test_every_pattern_comes_early_beside_random_samples_and_then_all_kinds_by_turns():
    origins = [trial.origin for trial in walked(search(), 40)]
    assert origins[1:14:2] == ["random"] * 7
    assert len(set(origins[0:14:2]) - {"random", "climbing"}) == 7
    assert {"random", "climbing", "impulses"} <= set(origins[14:])


def test_every_shape_and_small_batches_are_tried():
    trials = walked(search(), 60)
    assert {trial.form["x"] for trial in trials} == {(3,), (8,)}
    assert {1, 2, 3, 5} <= {trial.count for trial in trials}
    assert max(trial.count for trial in trials) == 256


def test_batches_of_large_samples_are_small():
    own = search(shapes=[{"x": (2, 1 << 16)}])
    assert all(trial.count <= 2 for trial in walked(own, 12))


def test_recorded_data_is_drawn_and_climbed_and_has_no_patterns():
    own = search(domain=Samples(np.random.default_rng(0).normal(size=(20, 8)).astype("float32")))
    assert {trial.origin for trial in walked(own, 30)} == {"random", "climbing"}


def test_a_settled_comparison_is_climbed_no_more():
    own = search()
    walked(own, 12)
    own.drop("one")
    own.drop("two")
    assert "climbing" not in {own.ask(8).origin for _ in range(20)}


def test_a_short_search_meets_every_shape():
    shapes = [{"x": (1, length)} for length in (1, 2, 7, 16, 33)]
    for seed in range(5):
        assert {trial.form["x"] for trial in walked(search(seed, shapes=shapes), 5)} == {
            (n,) for n in (1, 2, 7, 16, 33)
        }

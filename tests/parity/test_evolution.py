import numpy as np
import pytest

from kexport.bundle.domain import Choice, Ints, Uniform
from kexport.bundle.signature import Signature, TensorSpec
from kexport.parity.evolution import EvolutionStrategy
from kexport.parity.space import Space


def space(domain, dtype="float32"):
    signature = Signature((TensorSpec("x", dtype, (None, 3)),), (TensorSpec("y", "float32", (None, 3)),))
    return Space(signature, {"x": domain}, [{"x": (2, 3)}])


def climbed(own, height, rounds):
    rng = np.random.default_rng(0)
    strategy = EvolutionStrategy(own)
    (form,) = own.forms
    population = own.random(rng, 64, form)
    best = 0.0
    for _ in range(rounds):
        scores = height(population)
        best = max(best, float(scores.max()))
        strategy.tell(population, form, scores)
        if not strategy.ready:
            break
        form, population = strategy.ask(rng, 64)
    return best


def test_it_comes_nearer_to_a_peak_than_as_many_random_samples():
    own = space(Uniform(-5, 5))
    peak = np.array([1.2345, -3.21, 4.44])

    def height(population):
        return 1 / (1e-6 + np.abs(population["x"] - peak).max(axis=1))

    by_chance = height(own.random(np.random.default_rng(0), 64 * 60, own.forms[0])).max()
    assert climbed(own, height, 60) > 30 * by_chance


@pytest.mark.parametrize(
    ("domain", "dtype"),
    [(Uniform(2, 3), "float32"), (Ints(-4, 9), "int32"), (Choice(1.0, 2.0, 5.0), "float32")],
    ids=str,
)
def test_it_never_leaves_the_domain(domain, dtype):
    own = space(domain, dtype)

    def height(population):
        np.testing.assert_array_equal(own.project(population)["x"], population["x"])
        assert population["x"].dtype == dtype
        return population["x"].sum(axis=1) + 100.0

    assert climbed(own, height, 20) == 100 + 3 * max(domain.corners())


def test_texts_are_recombined():
    own = space(Choice("a", "b", "c"), "string")
    assert climbed(own, lambda p: 1.0 + (p["x"] == ["a", "b", "c"]).sum(axis=1), 20) == 4


def test_what_has_no_score_is_forgotten():
    strategy = EvolutionStrategy(space(Uniform()))
    strategy.tell({"x": np.zeros((5, 3), "float32")}, {"x": (3,)}, np.zeros(5))
    assert not strategy.ready


def test_it_begins_anew_where_nothing_gets_worse():
    own, rng = space(Uniform()), np.random.default_rng(0)
    strategy = EvolutionStrategy(own)
    population = own.random(rng, 8, own.forms[0])
    for _ in range(40):
        strategy.tell(population, own.forms[0], np.ones(8))
        strategy.ask(rng, 8)
        if not strategy.ready:
            return
    raise AssertionError("no restart")

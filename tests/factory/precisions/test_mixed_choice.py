"""The choice of layers to keep in float, on models whose bytes and noise are known for every choice."""

from dataclasses import replace

import numpy as np
import pytest

from kexport.factory.precisions.mixed_choice import MOST_GROUPS, MixedTrial, Setting, choose, grouped


class Model:
    """A chain of layers: bytes and noise of each in integers, and bytes for each change of precision."""

    def __init__(self, seed, count=9, correlation=0.0):
        rng = np.random.default_rng(seed)
        self.count, self.rng = count, rng
        self.saved = rng.uniform(-50, 3000, count)
        self.noise = 10 ** rng.uniform(-6, -3, (count, 2))
        self.change, self.wide, self.correlation = 120, 20_000 + int(self.saved.sum()), correlation
        self.built = []

    def trial(self, kept):
        integers = np.array([group not in kept for group in range(self.count)])
        changes = np.abs(np.diff(np.pad(integers.astype(int), 1))).sum()
        noise = self.noise[integers].sum(axis=0)
        noise *= 1 + self.correlation * np.sin(7 * sum(kept))  # what adding up misses
        size = int(self.wide - self.saved[integers].sum() + self.change * changes)
        return MixedTrial(kept, size, noise, bool((noise <= self.allowed).all()))

    def build(self, kept):
        self.built.append(kept)
        return self.trial(kept)

    def setting(self, better):
        self.allowed = np.zeros(2)
        plain = self.trial(frozenset())
        self.allowed = plain.noise * 10 ** (-better / 10)
        return Setting(self.count, self.wide, replace(plain, passed=False), self.allowed, 1 << 62)

    def every(self):
        chosen = (
            frozenset(group for group in range(self.count) if number >> group & 1)
            for number in range((1 << self.count) - 1)
        )
        return [self.trial(kept) for kept in chosen]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("correlation", [0.0, 0.2])
def test_the_choice_is_nearly_the_exhaustive_one_in_a_tenth_of_its_builds(seed, correlation):
    model = Model(seed, correlation=correlation)
    setting = model.setting(1 + seed)
    able = [trial for trial in model.every() if trial.passed]
    found = choose(setting, model.build, lambda trial: True)
    assert len(model.built) <= 2**model.count / 10
    if able:
        assert found.bytes <= 1.05 * min(trial.bytes for trial in able)
        assert found.passed


def test_what_is_accepted_by_all_checks_is_chosen_and_nothing_else():
    model = Model(3)
    setting = model.setting(3)
    asked = []

    def accept(trial):  # a promise that needs far less noise than the budget
        asked.append(trial)
        return bool((trial.noise <= setting.allowed / 4).all())

    found = choose(setting, model.build, accept)
    assert found in asked
    assert accept(found)
    assert any(not accept(trial) for trial in asked)
    assert choose(model.setting(3), model.build, lambda trial: False) is None


def test_a_broken_promise_of_what_keeps_its_budget_asks_for_less_noise():
    model = Model(5)
    setting = replace(model.setting(0), allowed=np.full(2, 1.0))
    model.allowed = setting.allowed
    found = choose(setting, model.build, lambda trial: bool((trial.noise < 0.5 * setting.plain.noise).all()))
    assert found is not None
    assert found.kept


def test_only_what_is_smaller_than_the_bound_is_chosen():
    model = Model(1)
    free = choose(model.setting(4), model.build, lambda trial: True)
    assert choose(replace(model.setting(4), bound=free.bytes), model.build, lambda trial: True) is None or (
        choose(replace(model.setting(4), bound=free.bytes), model.build, lambda trial: True).bytes < free.bytes
    )
    assert choose(replace(model.setting(4), bound=0), model.build, lambda trial: True) is None


def test_a_layer_that_is_refused_in_integers_alone_stays_in_float():
    model = Model(2)

    def build(kept):
        return None if 4 not in kept else model.build(kept)

    found = choose(model.setting(4), build, lambda trial: True)
    assert 4 in found.kept


def test_many_layers_are_grouped_with_their_neighbours():
    layers = [str(number) for number in range(53)]
    groups = grouped(layers)
    assert len(groups) == MOST_GROUPS
    assert [layer for group in groups for layer in group] == layers
    assert {len(group) for group in groups} == {3, 4}
    assert grouped(["a", "b"]) == [("a",), ("b",)]

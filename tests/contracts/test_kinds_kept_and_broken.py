"""Each kind of contract on functions that keep it, with five seeds, and on functions that break it a little."""

from typing import Any

import numpy as np
import pytest
from functions import function_of

from kexport.contracts import (
    Bounded,
    Conserves,
    Convex,
    Effort,
    Even,
    Finite,
    Lipschitz,
    Monotonic,
    Odd,
    PermutationInvariant,
    Satisfies,
    Sparse,
    SumsTo,
    WeightNorm,
)
from kexport.errors import UsageError

_rng = np.random.default_rng(7)
FREE = _rng.normal(size=(8, 5)).astype("float32")
POSITIVE = np.abs(FREE)
WIDE = np.abs(_rng.normal(size=(64, 3))).astype("float32")
SECOND = np.abs(_rng.normal(size=(5, 3))).astype("float32")
ONE = np.float32(1)


def subject(function, shape, domain):
    def quietly(x):
        with np.errstate(over="ignore", invalid="ignore"):
            return function(x)

    return function_of(quietly, shape=(None, *shape), domains={"x": domain})


def flipped(matrix, place):
    changed = matrix.copy()
    changed[place] *= -1
    return changed


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def sigmoid(x):
    return ONE / (ONE + np.exp(-x))


def relu(x):
    return np.maximum(x, 0)


def spiked(function, amount, share=0.01):
    """The function with something added where the first two elements lie in a small square: 10^-4 of the domain."""

    def spiky(x):
        y = function(x)
        flat = x.reshape(len(x), -1)
        side = 4 * share  # the domain is uniform(-2, 2)
        inside = (np.abs(flat[:, 0] - 0.7) < side / 2) & (np.abs(flat[:, 1] + 0.3) < side / 2)
        return np.where(inside.reshape(-1, *[1] * (y.ndim - 1)), y + np.float32(amount), y)

    return spiky


def projected(x):
    """On the plane where the elements add up to 1."""
    return x + (ONE - x.sum(axis=-1, keepdims=True)) / np.float32(x.shape[-1])


def spectral(bound):
    return (FREE * np.float32(bound / np.linalg.norm(FREE.astype(float), 2))).astype("float32")


ROW = (tuple([1.0] * 8),)
KEPT: dict[str, tuple[Any, ...]] = {
    "bounded sigmoid": (Bounded(0, 1), lambda x: sigmoid(20 * x @ FREE)),
    "bounded tanh": (Bounded(-1, 1), lambda x: np.tanh(x @ FREE)),
    "softmax": (SumsTo(1), lambda x: softmax(x @ FREE)),
    "mean removed": (SumsTo(0), lambda x: x - x.mean(axis=-1, keepdims=True)),
    "projection": (Satisfies(ROW, (1.0,)), projected),
    "half-space": (
        Satisfies(ROW, (1.0,), "at_most"),
        lambda x: np.where(x.sum(-1, keepdims=True) > 1, projected(x), x),
    ),
    "reversed": (Conserves(), lambda x: x[..., ::-1] + np.float32(0)),
    "shifted and back": (Conserves(), lambda x: np.roll(x, 3, axis=-1)),
    "finite": (Finite(), lambda x: np.exp(20 * x)),
    "monotone": (Monotonic(1), lambda x: np.tanh(sigmoid(x @ POSITIVE) @ SECOND)),
    "monotone, falling": (Monotonic(-1), lambda x: -sigmoid(x @ POSITIVE)),
    "monotone in some": (Monotonic((1, 1, 1, 0, 0, 0, 0, 0)), lambda x: relu(x @ np.vstack([POSITIVE[:3], FREE[3:]]))),
    "convex": (Convex(), lambda x: np.log1p(np.exp(relu(x @ FREE) @ SECOND))),
    "affine is convex": (Convex(), lambda x: x @ FREE + ONE),
    "even": (Even(), lambda x: np.cos(3 * x) @ FREE),
    "odd": (Odd(), lambda x: np.tanh(x @ FREE)),
    "lipschitz": (Lipschitz(0.7), lambda x: np.tanh(x @ spectral(0.7))),
    "lipschitz, maximum norm": (Lipschitz(float(np.abs(FREE).sum(axis=0).max()), "inf"), lambda x: x @ FREE),
    "lipschitz, 1-norm": (Lipschitz(float(np.abs(FREE).sum(axis=1).max()), 1), lambda x: x @ FREE),
}
BROKEN: dict[str, tuple[Any, ...]] = {
    "bounded: exceeded on a ten-thousandth": (Bounded(-1, 1), spiked(lambda x: np.tanh(x @ FREE), 3.0)),
    "bounded: exceeded a little": (Bounded(-0.9, 0.9), lambda x: np.float32(0.9 + 1e-5) * np.tanh(9 * x @ FREE)),
    "sums_to: over the wrong axis": (SumsTo(1), lambda x: softmax((x @ FREE).T).T),
    "sums_to: a part in ten thousand": (SumsTo(1), lambda x: softmax(x @ FREE) * np.float32(1.0001)),
    "sums_to: on a ten-thousandth": (SumsTo(1), spiked(lambda x: softmax(x @ FREE), 0.01)),
    "satisfies: a weight off": (Satisfies(ROW, (1.0,)), lambda x: projected(x) + np.array([1e-4] + [0] * 7, "float32")),
    "satisfies: at most, in a corner": (
        Satisfies(ROW, (15.9,), "at_most"),
        lambda x: x,
    ),
    "conserves: one element scaled": (Conserves(), lambda x: x * np.array([1.001] + [1] * 7, "float32")),
    "finite: overflow in a corner": (Finite(), lambda x: np.exp(np.float32(6) * x.sum(axis=-1, keepdims=True))),
    "finite: on a ten-thousandth": (Finite(), spiked(lambda x: x, np.nan)),
    "monotonic: one weight of 192": (Monotonic(1), lambda x: np.tanh(0.05 * x @ flipped(WIDE, (17, 1))), 64),
    "monotonic: a dip": (Monotonic(1), lambda x: x @ POSITIVE - spiked(lambda z: 0 * z @ POSITIVE, 8)(x)),
    "monotonic: one of some falls": (Monotonic((1, 1, 1, 0, 0, 0, 0, 0)), lambda x: x @ FREE),
    "convex: one negative weight": (Convex(), lambda x: relu(x @ FREE) @ flipped(SECOND, (2, 1))),
    "convex: a kink": (Convex(), lambda x: np.square(x) - 0.1 * relu(0.2 - np.abs(x - 0.5))),
    "convex: concave": (Convex(), lambda x: -np.square(x)),
    "even: an offset": (Even(), lambda x: np.cos(3 * x + np.float32(1e-4)) @ FREE),
    "odd: an offset": (Odd(), lambda x: np.tanh(x @ FREE + np.float32(1e-4))),
    "odd: a bias": (Odd(), lambda x: x @ FREE + np.float32(1e-3)),
    "lipschitz: a thousandth": (Lipschitz(0.7), lambda x: x @ spectral(0.7007)),
    "lipschitz: a steep place": (Lipschitz(1.0, "inf"), lambda x: np.clip(1.5 * (x - 0.3), 0, 0.1) + 0.1 * x),
    "lipschitz: the maximum norm": (
        Lipschitz(float(np.abs(FREE).sum(axis=0).max()) * 0.999, "inf"),
        lambda x: x @ FREE,
    ),
}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", KEPT)
def test_what_is_kept_raises_no_alarm(name, seed):
    contract, function = KEPT[name]
    verdict = contract.check(*subject(function, shape=(8,), domain="uniform(-2, 2)"), Effort(seed=seed, samples=60_000))
    assert verdict.ran
    assert verdict.passed, verdict


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_found_and_shown(name):
    contract, function, *size = BROKEN[name]
    given = subject(function, shape=(size[0] if size else 8,), domain="uniform(-2, 2)")
    verdict = contract.check(*given)
    assert verdict.ran
    assert not verdict.passed, verdict
    assert {len(values) for values in verdict.broken_by.values()} == {1}
    again = contract.check(*given, Effort(samples=1, first=[verdict.broken_by]))
    assert not again.passed


@pytest.mark.parametrize("mode", ["mean", "sum", "max"])
def test_pooling_over_a_set_is_blind_to_its_order(mode):
    pool = getattr(np, mode)
    contract: Any = PermutationInvariant(1)
    given = subject(lambda x: pool(x, axis=1), shape=(None, 3), domain="uniform(-2, 2)")
    for seed in range(5):
        assert contract.check(*given, Effort(seed=seed, samples=20_000)).passed


@pytest.mark.parametrize(
    "broken",
    [
        lambda x: x.mean(axis=1) + np.float32(1e-3) * x[:, 0],
        lambda x: x.mean(axis=1) + np.float32(0.01) * x[:, -1] ** 2,
    ],
)
def test_a_place_that_counts_is_found(broken):
    verdict = PermutationInvariant(1).check(*subject(broken, shape=(None, 3), domain="uniform(-2, 2)"))
    assert verdict.ran
    assert not verdict.passed


def test_a_number_that_is_none_at_one_point_only_is_found():
    edge = subject(lambda x: np.log(x - 1), shape=(1,), domain="uniform(1, 2)")
    verdict = Finite().check(*edge)
    assert not verdict.passed
    assert verdict.figure == 1


@pytest.mark.parametrize(
    "contract", [SumsTo(1), Conserves(), Satisfies(ROW, (1.0,)), Monotonic(), Bounded(0, 1), Even()]
)
def test_outputs_that_are_no_numbers_break_every_promise(contract):
    verdict = contract.check(*subject(lambda x: np.where(x > 1, np.inf, x), shape=(8,), domain="uniform(-2, 2)"))
    assert not verdict.passed


def test_weights_are_measured_by_every_norm():
    matrix = np.array([[3.0, 0.0], [0.0, 4.0]], "float32")
    for norm, size in ((1, 4), (2, 4), ("inf", 4), ("fro", 5), ("max", 4)):
        assert WeightNorm(size, norm).check_weights({"kernel": matrix, "bias": np.full(2, 99, "float32")}).passed
        assert not WeightNorm(size - 0.001, norm).check_weights({"kernel": matrix}).passed
    assert not WeightNorm(9).check_weights({"kernel": matrix * np.nan}).passed
    half = Sparse(0.5).check_weights({"kernel": matrix})
    assert half.passed
    assert half.figure == 0.5
    assert not Sparse(0.51).check_weights({"kernel": matrix}).passed
    with pytest.raises(UsageError, match="no weights"):
        Sparse(0.5, weights=())
    with pytest.raises(UsageError, match="does not have"):
        Sparse(0.5, weights="other").check_weights({"kernel": matrix})


def test_what_cannot_be_told_is_not_passed():
    one = subject(lambda x: x.mean(axis=1), shape=(1, 3), domain="uniform(-2, 2)")
    assert not PermutationInvariant(1).check(*one).ran
    assert not Convex().check(*subject(lambda x: x, shape=(3,), domain="ints(0, 5)")).ran
    for domain in ("uniform(1, 2)", "uniform(0, 1)"):
        assert not Even().check(*subject(lambda x: x, shape=(3,), domain=domain)).ran


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("contract", "function", "shape"),
    [
        (Even(), spiked(lambda x: np.cos(x), 0.01), (8,)),
        (Odd(), spiked(lambda x: np.sin(x), 0.01), (8,)),
        (Convex(), spiked(lambda x: x @ FREE, 0.05), (8,)),
        (PermutationInvariant(1), spiked(lambda x: x.mean(axis=1), 0.01), (6, 1)),
        (Conserves(), spiked(lambda x: x, 0.01), (8,)),
        (Satisfies(ROW, (1.0,)), spiked(projected, 0.01), (8,)),
    ],
)
def test_what_is_broken_on_a_ten_thousandth_of_the_domain_is_found(contract, function, shape, seed):
    verdict = contract.check(*subject(function, shape=shape, domain="uniform(-2, 2)"), Effort(seed=seed, seconds=5.0))
    assert verdict.ran
    assert not verdict.passed, verdict

import numpy as np
import pytest
from functions import checked, function_of

from kexport.bundle.domain import Samples
from kexport.contracts import Effort, Linear

KERNEL = np.random.default_rng(0).normal(size=(8, 5)).astype("float32")
DOMAINS = ["uniform(-3, 3)", "uniform(0, 1)", "uniform(1, 3)", "uniform(-4, -1)", "normal(0, 1)", "ints(-9, 10)"]


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_product_with_a_matrix_is_linear_in_any_domain(domain):
    assert checked(Linear(), lambda x: x @ KERNEL, domains={"x": domain}).passed


def test_it_is_linear_in_all_inputs_together():
    inputs = {"a": (None, 3), "b": (None, 3)}
    assert checked(Linear(), lambda a, b: 2 * a - b, inputs=inputs).passed
    assert not checked(Linear(), lambda a, b: a * b, inputs=inputs).passed
    # With the other input held, a product is linear in each.
    assert checked(Linear(), lambda a, b: a * b, inputs=inputs, about=["a"]).passed


BROKEN = {
    "an offset": lambda x: x @ KERNEL + np.float32(1e-2),
    "a square": lambda x: (x + np.float32(1e-3) * x * x) @ KERNEL,
    "a wave": lambda x: (x + np.float32(0.1) * np.sin(2 * x)) @ KERNEL,
    "a product": lambda x: x @ KERNEL + np.float32(1e-2) * x[:, :1] * x[:, 1:2],
}


@pytest.mark.parametrize("domain", [*DOMAINS, "ints(1, 10)"])
@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_what_is_not_linear_is_found_in_any_domain(domain, broken):
    assert not checked(Linear(), broken, domains={"x": domain}).passed


@pytest.mark.parametrize("broken", [BROKEN["an offset"], BROKEN["a product"]])
def test_what_is_not_linear_in_switches_is_found(broken):
    assert checked(Linear(), lambda x: x @ KERNEL, domains={"x": "choice(0, 1)"}).passed
    assert not checked(Linear(), broken, domains={"x": "choice(0, 1)"}).passed


def test_nan_is_not_linear():
    assert not checked(Linear(), lambda x: np.where(x > 0.99, np.float32(np.nan), x) @ KERNEL).passed


def test_saturation_near_the_ends_of_the_domain_is_found():
    assert not checked(Linear(), lambda x: np.clip(x, -2.98, 2.98) @ KERNEL, domains={"x": "uniform(-3, 3)"}).passed


def test_what_broke_it_is_tried_first_the_next_time():
    function, space, slack = function_of(lambda x: np.clip(x, -0.9, 0.9) @ KERNEL)
    verdict = Linear().check(function, space, slack)
    again = Linear().check(function, space, slack, Effort(first=[verdict.broken_by]))
    assert not again.passed
    assert again.tried < 10


@pytest.mark.parametrize(
    ("domain", "words"), [("uniform(-1, 1)", "0 at 0"), ("uniform(1, 2)", "the domain excludes 0")]
)
def test_it_says_what_was_looked_at(domain, words):
    verdict = checked(Linear(), lambda x: x @ KERNEL, domains={"x": domain})
    assert any(words in fact for fact in verdict.facts)


def test_recorded_inputs_serve_too():
    recorded = Samples(np.random.default_rng(0).normal(2, 0.5, (40, 8)).astype("float32"))
    assert checked(Linear(), lambda x: x @ KERNEL, domains={"x": recorded}).passed
    assert not checked(Linear(), lambda x: x @ KERNEL + np.float32(0.1), domains={"x": recorded}).passed


@pytest.mark.parametrize("seed", range(5))
def test_no_seed_sounds_a_false_alarm(seed):
    assert checked(Linear(), lambda x: x @ KERNEL, Effort(seed=seed, seconds=0.5)).passed

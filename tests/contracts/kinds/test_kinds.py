"""Kinds of contract by name: texts, parameters and registration."""

import dataclasses

import pytest

from kexport.bundle.contract_entries import ContractEntry
from kexport.bundle.signature import Signature, TensorSpec
from kexport.contracts import Bounded, LinearTimeInvariant, Monotonic, Satisfies, kinds
from kexport.contracts.kinds import catalogue
from kexport.errors import UsageError

SIGNATURE = Signature((TensorSpec("x", "float32", (None, 4)),), (TensorSpec("y", "float32", (None, 4)),))
EXAMPLES: dict[str, dict[str, object]] = {
    "bounded": {"low": 0.0, "high": 1.0},
    "causal": {"axis": 1},
    "conserves": {"axis": -1},
    "linear_time_invariant": {"taps": [0.5, 0.5], "advance": 1},
    "lipschitz": {"constant": 2.0, "norm": "inf"},
    "low_pass": {"pass_band": 0.1, "stop_band": 0.2, "ripple": 1.0, "attenuation": 40.0},
    "monotonic": {"direction": [1, 0, -1, 1]},
    "rate_limited": {"step": 0.5},
    "satisfies": {"A": [[1.0, 1.0, 0.0, 0.0]], "b": [2.0]},
    "scaled": {"factor": [1.0, 2.0, 3.0, 4.0]},
    "sparse": {"share": 0.5},
    "sums_to": {"total": 3.0},
    "weight_norm": {"bound": 1.0, "norm": "fro"},
}


@pytest.mark.parametrize("kind", kinds.names())
def test_every_kind_goes_through_a_manifest_and_a_text_without_loss(kind):
    made = kinds.make(kind, EXAMPLES.get(kind, {}))
    assert made.kind == kind
    assert dataclasses.is_dataclass(made)
    assert made == kinds.parse(kinds.text(made))
    entry = kinds.entry_of(made, ["x"], ["y"], "layer")
    again = ContractEntry.from_json(entry.to_json(), SIGNATURE)
    assert kinds.contract_of(again) == made
    assert made.words()
    assert made.words()[0].islower()
    assert kinds.summary(kind).endswith(".")
    assert hash(made) == hash(kinds.contract_of(again))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bounded(0, 1)", Bounded(0, 1)),
        (" bounded( high = 2 ) ", Bounded(high=2)),
        ("monotonic((1, -1))", Monotonic((1, -1))),
        ("monotonic", Monotonic(1)),
        ("satisfies([[1, 2]], [3], 'at_most')", Satisfies(((1, 2),), (3,), "at_most")),
        ("linear_time_invariant(taps=[1, -1])", LinearTimeInvariant((1, -1))),
    ],
)
def test_texts_are_read_as_python_writes_calls(text, expected):
    assert kinds.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bounded(",
        "bounded(0, 1, 2)",
        "bounded(0, low=1)",
        "bounded(__import__('os'))",
        "1+1",
        "bounded(**{})",
        "bounded(0, 1)(2)",
        "bounded(0, 1).x(2)",
    ],
)
def test_other_texts_are_refused(text):
    with pytest.raises(UsageError, match=r"unreadable contract|no contract"):
        kinds.parse(text)


def test_a_misspelt_kind_is_told_the_nearest():
    with pytest.raises(UsageError, match="bounded"):
        kinds.parse("bouned(0, 1)")


def test_a_kind_of_a_user_is_known_once_it_is_registered(monkeypatch):
    monkeypatch.setattr(catalogue, "_registered", {})

    @kinds.register
    @dataclasses.dataclass(frozen=True)
    class Round:  # type: ignore[type-var]  # words are all that is asked for here
        digits: int = 0
        kind = "round"

        def words(self):
            return f"is rounded to {self.digits} digits"

    assert "round" in kinds.names()
    assert kinds.parse("round(2)") == Round(2)  # type: ignore[comparison-overlap]
    assert kinds.parameters("round") == ["digits=0"]

"""Contracts, which are statements about a function that must hold in every runtime, and the verdicts on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, runtime_checkable

from kexport.bundle.signature import Array
from kexport.contracts.protocol.function import Function
from kexport.contracts.protocol.slack import Slack
from kexport.parity.space import Population, Space


@dataclass(frozen=True)
class Effort:
    """How long a check searches for a counterexample.

    Attributes:
        samples: the largest number of samples to evaluate.
        seconds: the longest time to spend; a slow model is then tried on fewer samples, and the verdict says so.
        seed: the seed of the random number generator.
        first: samples to try before all others: earlier counterexamples.
        turns: the verdict tells of so many turns of the search, which are made however long they take: what comes after
            them only shows whether a counterexample exists, and a faster machine gives the same verdict. None to tell
            of all.
        patience: a hunt ends after so many samples in a row that come no closer to breaking the promise, unless it is
            half broken. None to make all of the effort, as where a search was asked for.
    """

    samples: int = 200_000
    seconds: float = 1.0
    seed: int = 0
    first: Sequence[Population] = ()
    turns: int | None = None
    patience: int | None = 100_000


EFFORT = Effort()


@dataclass(frozen=True)
class Verdict:
    """Whether a contract holds.

    Attributes:
        passed: no counterexample was found.
        figure: the worst value that was measured, in `unit`.
        limit: the largest allowed value of the figure: the contract's bound plus the slack of float arithmetic.
        unit: the unit of figure and limit.
        detail: where the figure was measured, in one sentence.
        broken_by: the counterexample: for each input an array whose first axis has length 1; or longer where a sample
            breaks the promise only in a batch.
        tried: how many samples were evaluated.
        ran: False when the contract could not be judged on this function and domain.
        metrics: other figures by name: numbers, texts, and lists of them.
        remarks: other facts for the reader, one sentence each.
        untested: why a contract that holds was not put to the test: no sample came near a bound, or nothing varies.
    """

    passed: bool
    figure: float | None
    limit: float | None
    unit: str
    detail: str = ""
    broken_by: Population | None = None
    tried: int = 0
    ran: bool = True
    metrics: Mapping[str, object] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    untested: str = ""

    @property
    def facts(self) -> tuple[str, ...]:
        """Everything that a report states about it in words."""
        untested = f"untested: {self.untested}" if self.untested else ""
        return tuple(fact for fact in (untested, self.detail, *self.remarks) if fact)


@runtime_checkable
class Contract(Protocol):
    """A statement about what a model computes: a frozen dataclass whose fields are its parameters.

    `kind` is the name of its file, by which manifest and command line know it.
    """

    kind: ClassVar[str]

    # Positional, so that a user's own kind may name its arguments as it likes.
    def check(self, function: Function, space: Space, slack: Slack, effort: Effort, /) -> Verdict:
        """Search for an input on which the contract is broken.

        Args:
            function: the model in one runtime, as a black box.
            space: the domain of its inputs.
            slack: the error that float arithmetic may add to its outputs.
            effort: how long to search.
        """
        ...

    def words(self) -> str:
        """The promise as a predicate whose subject is the output: `lies between 0 and 1`."""
        ...


@runtime_checkable
class WeightContract(Protocol):
    """A statement about the weights of a layer, checked once, at build time, on the Keras model."""

    kind: ClassVar[str]

    def check_weights(self, weights: Mapping[str, Array]) -> Verdict:
        """Judge the layer's weights, given by their names within the layer."""
        ...

    def words(self) -> str:
        """The promise as a predicate whose subject is the layer."""
        ...

"""What a contract is: a statement about a function that must hold in every runtime, and how it is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

from kexport.bundle.signature import Array
from kexport.contracts._function import Function
from kexport.contracts._slack import Slack
from kexport.parity.space import Population, Space


@dataclass(frozen=True)
class Effort:
    """How long a check hunts for a violation.

    Attributes:
        samples: how many it evaluates at most.
        seconds: how long it takes at most; a slow model is then tried on fewer samples, and the verdict says so.
        seed: of what is random.
        first: samples that are tried before all others: those that broke the contract earlier.
    """

    samples: int = 200_000
    seconds: float = 1.0
    seed: int = 0
    first: Sequence[Population] = ()


EFFORT = Effort()


@dataclass(frozen=True)
class Verdict:
    """Whether a contract holds.

    Attributes:
        passed: no violation was found.
        figure: the worst that was measured, in `unit`.
        limit: what it may be at most: the promise and the slack that float arithmetic needs.
        unit: of figure and limit.
        detail: where, and what a person needs to know besides.
        broken_by: the one sample that broke the contract, of each input an array whose first axis has length 1.
        tried: samples that were evaluated.
        ran: False when nothing could be told from this function on this domain.
        metrics: other figures by name: numbers, texts, and lists of them.
    """

    passed: bool
    figure: float | None
    limit: float | None
    unit: str
    detail: str = ""
    broken_by: Population | None = None
    tried: int = 0
    ran: bool = True
    metrics: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class Contract(Protocol):
    """A promise about what a model computes: a frozen dataclass whose fields are its parameters.

    `kind` is the name of its file, under which manifest and command line know it.
    """

    kind: ClassVar[str]

    def check(self, function: Function, domain: Space, tolerance: Slack, effort: Effort = ...) -> Verdict:
        """Hunt for an input on which the promise is broken.

        Args:
            function: the model in one runtime, as a black box.
            domain: where its inputs live.
            tolerance: what float arithmetic may add to the outputs.
            effort: how long to hunt.
        """
        ...

    def words(self) -> str:
        """The promise as a sentence about the output, without a subject: `lies between 0 and 1`."""
        ...


@runtime_checkable
class WeightContract(Protocol):
    """A promise about the weights of a layer: checked once, at build, on the Keras model."""

    kind: ClassVar[str]

    def check_weights(self, weights: Mapping[str, Array]) -> Verdict:
        """Judge the layer's weights, by their names within the layer."""
        ...

    def words(self) -> str:
        """The promise as a sentence about the weights, without a subject."""
        ...

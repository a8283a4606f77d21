"""What holds for the tensors of a model, and a record of every contract that its layers state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kexport.contracts import Contract
from kexport.factory.promises.rules import Stage
from kexport.factory.promises.traits import Traits


@dataclass(frozen=True)
class Origin:
    """A contract as a layer states it."""

    contract: Contract
    layer: str


@dataclass(frozen=True)
class HeldContract:
    """A contract that holds for a tensor, and the places in the ledger of the contracts that it follows from."""

    contract: Contract
    origins: frozenset[int]


@dataclass(frozen=True)
class PathFacts:
    """What is known of the function from one input of the model to a tensor."""

    traits: Traits
    held: tuple[HeldContract, ...] = ()

    @property
    def stage(self) -> Stage:
        """The function as the rules take it."""
        return Stage([each.contract for each in self.held], self.traits)


@dataclass(frozen=True)
class TensorFacts:
    """What is known of a tensor of the graph.

    Attributes:
        paths: by name of the model's input that it depends on.
        held: contracts about its values alone, whatever the inputs are.
        layer: the layer or operation that computes it.
    """

    paths: Mapping[str, PathFacts]
    held: tuple[HeldContract, ...] = ()
    layer: str = ""

    def every(self) -> Iterator[HeldContract]:
        """All contracts that hold for it, about its values alone first."""
        yield from self.held
        for path in self.paths.values():
            yield from path.held


@dataclass
class Ledger:
    """Every contract that a layer states, and where it ends.

    Attributes:
        origins: the contracts, in the order of the calls.
        ends: by place in `origins`, the layer that ended the contract, and why.
    """

    origins: list[Origin] = field(default_factory=list)
    ends: dict[int, tuple[str, str]] = field(default_factory=dict)

    def record(self, contract: Contract, layer: str) -> HeldContract:
        """Record a contract that a layer states."""
        self.origins.append(Origin(contract, layer))
        return HeldContract(contract, frozenset({len(self.origins) - 1}))

    def end(self, origins: frozenset[int], layer: str, why: str) -> None:
        """Record where contracts end, unless they ended before; `KIND` in the reason stands for the kind of each."""
        for origin in origins:
            kind = self.origins[origin].contract.kind
            self.ends.setdefault(origin, (layer, why.replace("KIND", kind)))

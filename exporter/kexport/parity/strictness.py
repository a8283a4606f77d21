"""How strictly artifacts are checked: how long to search for their worst inputs, and which limits are declared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypedDict

from kexport.bundle.limits import OutputLimit
from kexport.parity.budget import Budget
from kexport.parity.tolerance import Tolerance, declared


class BudgetJson(TypedDict):
    """A `Budget` on its way to a worker process."""

    seconds: float | None
    evaluations: int | None
    seed: int


class StrictnessJson(TypedDict):
    """A `Strictness` on its way to a worker process."""

    search: BudgetJson | None
    tolerance: dict[str, str]
    repeatable: bool


@dataclass(frozen=True)
class Strictness:
    """The arguments `search` and `tolerance` of a public function.

    Attributes:
        search: how long to search for the inputs on which an artifact is worst; None for no search.
        tolerance: limits of some outputs, by output name, in place of the derived ones.
        repeatable: whether what is recorded must not depend on the speed of the machine, as in a build, which keeps it.
    """

    search: Budget | None = None
    tolerance: Mapping[str, Tolerance] = field(default_factory=dict)
    repeatable: bool = False

    @classmethod
    def of(cls, search: Budget | str | None, tolerance: Mapping[str, Tolerance | str | float] | None) -> Strictness:
        """The strictness that the arguments of a public function express.

        Raises:
            UsageError: the budget or a tolerance cannot be read.
        """
        return cls(
            Budget.parse(search) if isinstance(search, str) else search,
            {name: Tolerance.of(value) for name, value in (tolerance or {}).items()},
        )

    def limits(self, derived: Iterable[OutputLimit]) -> tuple[OutputLimit, ...]:
        """The derived limits, with the declared ones in their place.

        Raises:
            UsageError: a tolerance is given for something that is not an output, or does not fit its dtype.
        """
        return declared(derived, self.tolerance)

    def to_json(self) -> StrictnessJson:
        """What `from_json` reads, in a worker process for one."""
        budget, search = self.search, None
        if budget is not None:
            search = BudgetJson(seconds=budget.seconds, evaluations=budget.evaluations, seed=budget.seed)
        tolerance = {name: str(value) for name, value in self.tolerance.items()}
        return {"search": search, "tolerance": tolerance, "repeatable": self.repeatable}

    @classmethod
    def from_json(cls, data: StrictnessJson) -> Strictness:
        """The inverse of `to_json`."""
        search = data["search"]
        return cls(
            None if search is None else Budget(**search),
            {name: Tolerance.parse(text) for name, text in data["tolerance"].items()},
            data["repeatable"],
        )


#: No search, and no declared limit.
DERIVED = Strictness()

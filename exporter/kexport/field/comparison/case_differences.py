"""Where two models part: on which of the inputs that they were compared on, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from kexport.bundle.limits import OutputLimit
from kexport.bundle.report import Check
from kexport.bundle.signature import Array
from kexport.parity.conditioning import distance, widened

_SHOWN = 4  # labels of cases
_WAY_OUT = "give inputs that it answers to, by --samples or --domain"


@dataclass(frozen=True)
class _Case:
    """A case: its label, whether each of its samples holds one value throughout, and the outputs that differ."""

    label: str
    constant: bool
    differing: frozenset[str]


@dataclass
class CaseDifferences:
    """Collects cases, and tells what those on which two models differ have in common.

    Attributes:
        limits: how far each output may be from its reference.
    """

    limits: Mapping[str, OutputLimit]
    _cases: list[_Case] = field(default_factory=list)
    _only: dict[str, object] = field(default_factory=dict)  # the one value that an output has had; None if several
    _only_fed: dict[str, object] = field(default_factory=dict)  # likewise of an input

    def add(
        self, label: str, feeds: Mapping[str, Array], values: Mapping[str, Array], references: Mapping[str, Array]
    ) -> None:
        """Record what both computed of one case."""
        differing = frozenset(
            name for name, limit in self.limits.items() if _differ(limit, values[name], references[name])
        )
        self._cases.append(_Case(label, all(map(_is_constant, feeds.values())), differing))
        for name, array in feeds.items():
            _see(self._only_fed, name, array)
        for name in self.limits:
            _see(self._only, name, values[name])
            _see(self._only, name, references[name])

    def facts(self, output: str) -> list[str]:
        """Where an output differs, if it does not everywhere."""
        apart = [case for case in self._cases if output in case.differing]
        agreeing = [case for case in self._cases if output not in case.differing]
        if not apart or not agreeing:
            return []
        if all(case.constant for case in apart) and not any(case.constant for case in agreeing):
            return [f"only where the input is constant ({_listed(apart)}): every input that is not constant agrees"]
        if all(case.constant for case in agreeing) and not any(case.constant for case in apart):
            return [f"only where the input is not constant: every constant input agrees ({_listed(agreeing)})"]
        return [f"in {len(apart)} of {len(self._cases)} cases: {_listed(apart)}; the others agree"]

    def unvaried(self) -> dict[str, str]:
        """Why the inputs show little of an output: it was the same for all of them, which were not all the same."""
        if all(value is not None for value in self._only_fed.values()):
            return {}
        return {
            name: f"output {name} never varied: it was {value} for every input of the {len(self._cases)} cases"
            for name, value in self._only.items()
            if value is not None
        }

    def without_unvaried(self, checks: Iterable[Check]) -> list[Check]:
        """The checks, where an output that never varied is not checked instead of passed."""
        unvaried = self.unvaried()
        return [
            Check.not_run(check.kind, check.subject, f"{unvaried[check.output]}: {_WAY_OUT}")
            if check.passed and check.output in unvaried
            else check
            for check in checks
        ]


def _see(only: dict[str, object], name: str, array: Array) -> None:
    """Note the one value that all arrays of a name have held so far, or None."""
    for value in np.unique(array)[:2]:
        if only.setdefault(name, value) != value:
            only[name] = None


def _is_constant(array: Array) -> bool:
    """Whether each row holds one value throughout; a single number says nothing."""
    rows = array.reshape(len(array), -1) if array.ndim else array.reshape(1, 1)
    return bool((rows == rows[:, :1]).all())


def _differ(limit: OutputLimit, value: Array, reference: Array) -> bool:
    if value.shape != reference.shape:
        return True
    if value.dtype.kind not in "fc" or reference.dtype.kind not in "fc":
        return bool((value != reference).any())
    return bool((distance(value, widened(reference)) > limit.absolute).any())


def _listed(cases: list[_Case]) -> str:
    labels = list(dict.fromkeys(case.label for case in cases))
    return ", ".join(labels[:_SHOWN]) + (f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else "")

"""The result of checking a bundle: every check that was requested, with its figure and its limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, TypeAlias

from kexport import notebook
from kexport.bundle.facts import CodedFact, Fact, FactCode, Note, fact_from_json, fact_to_json
from kexport.bundle.json_files import flag, list_of, mapping, member, number, object_of, optional, text, texts
from kexport.bundle.json_text import JsonObject
from kexport.errors import FAILED, UNCHECKED

#: 2 added the kinds `model` and `adequacy`, which a reader of 1 does not know; 3 the kind `metric`; 4 the kind
#: `budget`. A report without the newer kinds keeps the older number.
SCHEMA = 4
_SEPARATOR = "; "


class CheckKind(str, Enum):
    """What a check is about. A member equals its text, which is what reports hold."""

    MODEL = "model"  # the model itself, in Keras: repeatable, independent of the batch, the same when traced
    ADEQUACY = "adequacy"  # what the goldens can see
    DIGEST = "digest"  # the bytes of a file are those that the manifest describes
    SIGNATURE = "signature"  # names, dtypes and shapes of inputs and outputs
    PARITY = "parity"  # the outputs on the goldens
    WITNESS = "witness"  # the outputs on inputs that an earlier search found
    SEARCH = "search"  # the worst input that this search found
    CONTRACT = "contract"  # a promise about the function or about weights
    METRIC = "metric"  # a metric of labelled samples
    BUDGET = "budget"  # what a small precision may cost: a metric, size, latency
    RUNTIME = "runtime"  # a runtime that could not run, or crashed
    EXPORT = "export"  # a format that could not be written
    REBUILD = "rebuild"  # the bytes of a file are those that another build writes

    def __str__(self) -> str:
        return self.value


#: The schema that added a kind.
_SINCE = {CheckKind.METRIC: 3, CheckKind.BUDGET: 4}


@dataclass(frozen=True)
class Subject:
    """What a check is about; what is None does not apply.

    Attributes:
        artifact: the artifact's path in the bundle.
        runtime: the name of the runtime.
        output: the name of the output.
        contract: the promise, as text: `bounded(low=0, high=1)`.
    """

    artifact: str | None = None
    runtime: str | None = None
    output: str | None = None
    contract: str | None = None


@dataclass(frozen=True)
class Measurement:
    """What was measured and what is allowed; None where there is no such number.

    Attributes:
        figure: what was measured, finite, in `unit`.
        limit: what it may be at most (in decibels of a ratio: at least), in `unit`.
        unit: the unit of figure and limit.
    """

    figure: float | None = None
    limit: float | None = None
    unit: str | None = None


_UNMEASURED = Measurement()


@dataclass(frozen=True)
class Check:
    """One thing that was checked, or that should have been checked but could not be.

    Attributes:
        kind: what was checked.
        passed: whether it ran and what was checked is right.
        subject: the artifact, runtime, output and promise that it is about.
        measured: the figure, its limit and their unit.
        facts: what a person should know about it, in this order.
        ran: False when the check could not be run at all.
        metrics: further figures by name, such as `ulp` and `sqnr_db`: numbers, texts, and lists of them.
    """

    kind: CheckKind
    passed: bool
    subject: Subject = Subject()
    measured: Measurement = _UNMEASURED
    facts: tuple[Fact, ...] = ()
    ran: bool = True
    metrics: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def success(cls, kind: CheckKind, subject: Subject, *facts: Fact) -> Check:
        """A check without a figure that passed."""
        return cls(kind, True, subject, facts=facts)

    @classmethod
    def failure(cls, kind: CheckKind, subject: Subject, *facts: Fact) -> Check:
        """A check without a figure that ran and failed."""
        return cls(kind, False, subject, facts=facts)

    @classmethod
    def not_run(cls, kind: CheckKind, subject: Subject, *facts: Fact) -> Check:
        """A check that could not be run, which does not count as passed; the facts say why."""
        return cls(kind, False, subject, facts=facts, ran=False)

    @property
    def artifact(self) -> str | None:
        """The artifact's path in the bundle."""
        return self.subject.artifact

    @property
    def runtime(self) -> str | None:
        """The name of the runtime."""
        return self.subject.runtime

    @property
    def output(self) -> str | None:
        """The name of the output."""
        return self.subject.output

    @property
    def contract(self) -> str | None:
        """The promise, as text."""
        return self.subject.contract

    @property
    def figure(self) -> float | None:
        """What was measured, in `unit`."""
        return self.measured.figure

    @property
    def limit(self) -> float | None:
        """What the figure may be, in `unit`."""
        return self.measured.limit

    @property
    def unit(self) -> str | None:
        """The unit of figure and limit."""
        return self.measured.unit

    @property
    def detail(self) -> str:
        """All facts in one text, for people."""
        return _SEPARATOR.join(map(str, self.facts))

    @property
    def compared(self) -> bool:
        """Whether it compared numbers that a runtime computed with the reference, or bytes with those of a rebuild.

        A metric compares two models where its drop has a limit.
        """
        limited = self.kind is CheckKind.METRIC and self.limit is not None
        measured = (self.kind is CheckKind.PARITY or limited) and self.figure is not None
        return self.ran and (measured or self.kind is CheckKind.REBUILD)

    def states(self, code: FactCode) -> bool:
        """Whether one of its facts has this code."""
        return any(isinstance(fact, CodedFact) and fact.code is code for fact in self.facts)

    def in_runtime(self, runtime: str) -> Check:
        """The same check, about another runtime."""
        return replace(self, subject=replace(self.subject, runtime=runtime))

    def to_json(self) -> dict[str, object]:
        """The check's entry in a report: flat, `detail` for people and `facts` for programs."""
        return {
            "kind": self.kind.value,
            "passed": self.passed,
            "artifact": self.artifact,
            "runtime": self.runtime,
            "output": self.output,
            "figure": self.figure,
            "limit": self.limit,
            "unit": self.unit,
            "detail": self.detail,
            "ran": self.ran,
            "metrics": dict(self.metrics),
            "contract": self.contract,
            "facts": list(map(fact_to_json, self.facts)),
        }

    @classmethod
    def from_json(cls, data: JsonObject) -> Check:
        """The inverse of `to_json`; in a report without `facts` the detail is the only fact.

        Raises:
            FieldError: an entry that every report has is missing, or one is of the wrong type.
        """
        detail = data.get("detail") or ""
        facts = member(data, "facts", list_of(fact_from_json)) if "facts" in data else (fact_from_json(detail),)
        return cls(
            member(data, "kind", CheckKind),
            member(data, "passed", flag),
            Subject(*(_text(data, key) for key in ("artifact", "runtime", "output", "contract"))),
            Measurement(_number(data, "figure"), _number(data, "limit"), _text(data, "unit")),
            tuple(fact for fact in facts if fact != ""),
            optional(data, "ran", flag, True),
            optional(data, "metrics", mapping, {}),
        )


def _text(data: JsonObject, key: str) -> str | None:
    return None if data.get(key) is None else member(data, key, text)


def _number(data: JsonObject, key: str) -> float | None:
    return None if data.get(key) is None else member(data, key, number)


#: Called with each check as soon as it is made.
Observer: TypeAlias = Callable[[Check], None]


@dataclass(frozen=True)
class Report:
    """All checks of one bundle.

    Attributes:
        bundle: its name.
        checks: every check, passed or not.
        notes: further notes for the reader, such as the runtimes that were left out.
        request: of a build: the SHA-256 of all that it followed from, where that is known before it runs.
    """

    bundle: str
    checks: tuple[Check, ...]
    notes: tuple[Note, ...] = ()
    request: str = ""

    def __repr__(self) -> str:
        failed = sum(not check.passed for check in self.checks)
        outcome = "passed" if self.passed else f"{failed} not passed" if failed else "nothing compared"
        return notebook.plain(f"Report of {self.bundle}: {len(self.checks)} checks, {outcome}")

    def _repr_html_(self) -> str | None:
        return notebook.drawn(self)

    @property
    def passed(self) -> bool:
        """Whether any numbers were compared, and no check failed."""
        return any(check.compared for check in self.checks) and all(check.passed for check in self.checks)

    @property
    def exit_code(self) -> int:
        """0 all passed; 1 a check failed; 3 a check could not be run, or no numbers were compared."""
        if self.passed:
            return 0
        return FAILED if any(not check.passed and check.ran for check in self.checks) else UNCHECKED

    @classmethod
    def of_several(cls, name: str, reports: Mapping[str, Report]) -> Report:
        """The reports of several bundles as one.

        Args:
            name: what they have in common.
            reports: by the folder of the bundle, which the artifacts' paths then begin with.
        """
        checks: list[Check] = []
        for folder, report in reports.items():
            for check in report.checks:
                path = folder if check.artifact is None else f"{folder}/{check.artifact}"
                checks.append(replace(check, subject=replace(check.subject, artifact=path)))
            if not any(check.compared for check in report.checks):
                checks.append(Check.not_run(CheckKind.PARITY, Subject(folder), "nothing was compared"))
        notes = [f"{folder}: {note}" for folder, report in reports.items() for note in report.notes]
        return cls(name, tuple(checks), tuple(notes))

    def to_json(self) -> dict[str, object]:
        """The content of `report.json`, and what `--json` prints."""
        return {
            "schema": max((_SINCE.get(check.kind, 2) for check in self.checks), default=2),
            "bundle": self.bundle,
            "passed": self.passed,
            "checks": [check.to_json() for check in self.checks],
            "notes": list(map(str, self.notes)),
            **({"request": self.request} if self.request else {}),
        }

    @classmethod
    def from_json(cls, data: JsonObject) -> Report:
        """The inverse of `to_json`, except that all notes become text."""
        checks = member(data, "checks", list_of(object_of(Check.from_json)))
        notes, request = optional(data, "notes", texts, ()), optional(data, "request", text, "")
        return cls(member(data, "bundle", text), checks, notes, request)

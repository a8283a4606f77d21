"""The inputs on which the artifacts of a bundle err most, and those that a search kept, as pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from markupsafe import Markup

from kexport.bundle import counterexamples, goldens, witnesses
from kexport.bundle.archives import EXPANSION, Archive
from kexport.bundle.folder import Bundle, require_digest
from kexport.bundle.goldens import Golden
from kexport.bundle.npz import NpzArrays
from kexport.bundle.report import Check, CheckKind, Report
from kexport.bundle.signature import Array, TensorSpec
from kexport.errors import KexportError
from kexport.page.tensor_picture import drawn
from kexport.reports import figures

_MOST = 6  # inputs that are drawn
_MOST_BYTES = 1 << 26  # of goldens that are read for it


@dataclass(frozen=True)
class DrawnTensor:
    """A tensor as a picture: its name, what it is, and the picture."""

    name: str
    about: str
    picture: Markup


@dataclass(frozen=True)
class WorstInput:
    """One input, and what is wrong or farthest off there.

    Attributes:
        title: the kind of input.
        words: where the error is, one sentence each.
        tensors: the inputs, then the outputs that they should give.
        wrong: whether a check failed on it.
    """

    title: str
    words: tuple[str, ...]
    tensors: tuple[DrawnTensor, ...]
    wrong: bool = False


@dataclass
class _Found:
    """The checks whose worst element is in one golden."""

    checks: list[Check] = field(default_factory=list)

    @property
    def excess(self) -> float:
        return max(_excess(check) for check in self.checks)


def worst_inputs(report: Report, bundle: Bundle, *, kept: bool = True) -> tuple[list[WorstInput], str]:
    """The worst inputs, and why there are none or not all; empty if they are all there.

    Args:
        report: whose checks name goldens of the bundle.
        bundle: the bundle.
        kept: whether to begin with the inputs that searches kept in the bundle.
    """
    try:
        first = list(_kept(bundle)) if kept else []
    except (KexportError, OSError) as error:
        return [], str(error)
    by_golden: dict[str, _Found] = {}
    for check in report.checks:
        worst = _worst(check)
        if worst is not None and check.figure:
            by_golden.setdefault(str(worst.get("golden")), _Found()).checks.append(check)
    order = sorted(by_golden, key=lambda label: -by_golden[label].excess)[: max(0, _MOST - len(first))]
    if bundle.goldens_bytes > _MOST_BYTES:
        return first, "the goldens are too large to be drawn here"
    try:
        found = _goldens(bundle, order)
        return first + [_of_golden(found[label], by_golden[label], bundle) for label in order if label in found], ""
    except (KexportError, OSError, ValueError, KeyError) as error:
        return first, f"the goldens cannot be read: {error}"


def _worst(check: Check) -> Mapping[str, object] | None:
    worst = check.metrics.get("worst")
    return worst if check.kind is CheckKind.PARITY and isinstance(worst, Mapping) else None


def _excess(check: Check) -> float:
    """The error in limits; in decibels, the limit over the ratio."""
    if not check.figure or not check.limit:
        return 0.0
    return check.limit / check.figure if check.unit == "dB" else check.figure / check.limit


def _goldens(bundle: Bundle, labels: Sequence[str]) -> dict[str, Golden]:
    entry = bundle.manifest.goldens
    if not labels:
        return {}
    require_digest(bundle.path, entry.path, entry.sha256, bundle.most())
    stored = NpzArrays(Archive(bundle.path / entry.path, expansion=max(EXPANSION, bundle.max_bytes)))
    places = [entry.cases.index(label) for label in labels if label in entry.cases]
    return {entry.cases[place]: goldens.golden_in(stored, place, entry.cases[place], bundle.signature)
            for place in places}  # fmt: skip


def _of_golden(golden: Golden, found: _Found, bundle: Bundle) -> WorstInput:
    checks = sorted(found.checks, key=lambda check: -_excess(check))
    worst = _worst(checks[0]) or {}
    index = _index(worst.get("index"))
    words = []
    for check in checks[:4]:
        element = _worst(check) or {}
        place = ", ".join(map(str, _index(element.get("index"))))
        where = f"{check.artifact} on {check.runtime}: {check.output}[{place}]"
        values = f"{_brief(element.get('value'))} instead of {_brief(element.get('truth'))}"
        words.append(f"{where} is {values}; {figures(check)}")
    words += [f"and {len(checks) - 4} more are worst here"] * (len(checks) > 4)
    batched = all(spec.shape[:1] == (None,) for spec in (*bundle.signature.inputs, *bundle.signature.outputs))
    sample = index[0] if batched and index else None
    tensors = list(_tensors(bundle.signature.inputs, golden.inputs, "input", sample))
    outputs = [spec for spec in bundle.signature.outputs if spec.name == checks[0].output]
    tensors += _tensors(outputs, golden.truth, "true output", sample, index[1:] if batched else index)
    title = golden.label if sample is None else f"{golden.label}, sample {sample}"
    return WorstInput(title, tuple(words), tuple(tensors), any(not check.passed for check in checks))


def _brief(value: object) -> str:
    return f"{value:.9g}" if isinstance(value, float) else str(value)


def _index(value: object) -> tuple[int, ...]:
    return tuple(each for each in value if isinstance(each, int)) if isinstance(value, list | tuple) else ()


def _tensors(
    specs: Sequence[TensorSpec],
    arrays: Mapping[str, Array],
    role: str,
    sample: int | None,
    marked: Sequence[int] = (),
) -> Iterator[DrawnTensor]:
    """The tensors of one sample; without `sample`, of the whole call, where a single sample is shown as itself."""
    for spec in specs:
        values = np.asarray(arrays[spec.name])
        if sample is not None and values.ndim and sample < len(values):
            values = values[sample]
        elif values.ndim > 1 and len(values) == 1:
            values = values[0]
        about = f"{role} {spec.name}: {spec.dtype}, {' x '.join(map(str, values.shape)) or 'number'}"
        yield DrawnTensor(spec.name, about, drawn(values, f"{role} {spec.name}", marked))


def _kept(bundle: Bundle) -> Iterator[WorstInput]:
    """The witnesses and counterexamples in the bundle."""
    for path in witnesses.paths(bundle.path)[:_MOST]:
        witness = witnesses.read(bundle.path / path, bundle.signature, bundle.max_bytes)
        tensors = [*_tensors(bundle.signature.inputs, witness.golden.inputs, "input", None)]
        tensors += _tensors(bundle.signature.outputs, witness.golden.truth, "right output", None)
        words = f"kept by a search, judged by {witness.reference}: {path}"
        yield WorstInput(witness.golden.label, (words,), tuple(tensors))
    for path in counterexamples.paths(bundle.path)[:_MOST]:
        entry, probe = counterexamples.read(bundle.path / path, bundle.signature, bundle.max_bytes)
        tensors = [*_tensors(bundle.signature.inputs, probe, "input", None)]
        words = f"it breaks {entry.kind} of {', '.join(entry.outputs) or entry.layer}: {path}"
        yield WorstInput("counterexample", (words,), tuple(tensors), wrong=True)

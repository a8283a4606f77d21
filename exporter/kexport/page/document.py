"""The page: one HTML file that needs neither network nor JavaScript, from a report and what belongs to it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from kexport.bundle.folder import Bundle
from kexport.bundle.report import CheckKind, Report
from kexport.page.changes import changes
from kexport.page.contents import file_rows, provenance, tensor_rows
from kexport.page.layer_depth import depth
from kexport.page.outlook import failures, kind_rows, localised_standing, standing, unseen
from kexport.page.parity import output_errors
from kexport.page.promises import promises
from kexport.page.worst_inputs import WorstInput, worst_inputs
from kexport.parity.localised_bundle import LocalisedBundle
from kexport.reports import budget_rows, metric_legend, metric_rows
from kexport.visible import visible

MOST_BYTES = 1_000_000
#: What is left out of a page that is too large, step by step: `most` rows of a table are shown.
_LEANER: tuple[dict[str, object], ...] = (
    {"most": 400, "digest": False},
    {"most": 100, "inputs": [], "left_out": "Left out: together they are too large for this page."},
    {"most": 8, "digest": True},
)


@dataclass(frozen=True)
class PageSubject:
    """What a page is about.

    Attributes:
        title: its heading.
        report: the checks.
        bundle: what was checked, if it is a bundle.
        localised: the layers, if they were compared.
        before: older bundles that this one is set against, the oldest first.
        operands: the bundles among the models that the report compares.
    """

    title: str
    report: Report
    bundle: Bundle | None = None
    localised: LocalisedBundle | None = None
    before: tuple[Bundle, ...] = ()
    operands: tuple[Bundle, ...] = ()


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalized,
    )


def _finalized(value: object) -> object:
    """Text of a bundle as it may be shown: nothing in it turns the direction of writing, or is no character."""
    return value if isinstance(value, Markup) else visible(str(value))


def page(subject: PageSubject) -> str:
    """The page as text, of at most `MOST_BYTES` bytes of UTF-8: what is too much is left out, and that is said."""
    context = _context(subject)
    template = _environment().get_template("page.html")
    for leaner in _LEANER:
        context |= leaner
        text = template.render(context)
        if len(text.encode("utf-8", "replace")) <= MOST_BYTES:
            break
    return text


def drawn(subject: Bundle | Report | LocalisedBundle) -> str:
    """A bundle, a report, or the layers of a bundle, as a part of a notebook."""
    if isinstance(subject, Bundle):
        return part(PageSubject(subject.manifest.name, subject.report, subject))
    if isinstance(subject, Report):
        return part(PageSubject(subject.bundle, subject))
    return part(PageSubject(subject.built.bundle, subject.built, localised=subject))


def part(subject: PageSubject) -> str:
    """The verdict, the errors and what failed, as a part of another page: a notebook's."""
    context = _context(replace(subject, before=()), brief=True)
    return _environment().get_template("part.html").render(context, most=24)


def _context(subject: PageSubject, *, brief: bool = False) -> dict[str, object]:
    report, bundle = subject.report, subject.bundle
    labels = _labels([*subject.before, *([bundle] if bundle and subject.before else [])])
    sides = {label: each.report.checks for label, each in zip(labels, subject.before, strict=False)}
    sides[labels[-1] if labels else ""] = report.checks
    metrics = [check for check in report.checks if check.kind is CheckKind.METRIC and check.figure is not None]
    budgets = [check for check in report.checks if check.kind is CheckKind.BUDGET]
    drawn, left_out = ([], "") if brief else _inputs(subject)
    beside = [*subject.before, bundle] if subject.before and bundle else list(subject.operands)
    return {
        "title": subject.title,
        "outlook": standing(report) if subject.localised is None else localised_standing(subject.localised),
        "kinds": kind_rows(report),
        "failures": failures(report),
        "outputs": output_errors(sides),
        "sides": list(sides) if subject.before else [],
        "promises": promises(report, bundle),
        "searches": [check for check in report.checks if check.kind is CheckKind.SEARCH],
        "budgets": list(budget_rows(budgets)),
        "metrics": list(metric_rows(metrics)),
        "metric_legend": list(metric_legend(metrics)) if metrics else [],
        "inputs": drawn,
        "left_out": left_out,
        "unseen": [] if brief else list(unseen(report, bundle)),
        "layers": [] if subject.localised is None else [depth(each) for each in subject.localised.artifacts],
        "model_faults": [] if subject.localised is None else subject.localised.model_at_fault,
        "files": [] if bundle is None else file_rows(bundle, report),
        "tensors": [] if bundle is None else tensor_rows(bundle),
        "provenance": [] if bundle is None or brief else provenance(bundle),
        "changes": changes(beside) if len(beside) > 1 else [],
        "labels": _labels(beside),
    }


def _inputs(subject: PageSubject) -> tuple[list[WorstInput], str]:
    """The inputs to draw. Those of a comparison are the goldens of the first bundle, and only where names are clear."""
    if subject.bundle is not None:
        return worst_inputs(subject.report, subject.bundle)
    digests = {bundle.manifest.goldens.sha256 for bundle in subject.operands}
    return worst_inputs(subject.report, subject.operands[0], kept=False) if len(digests) == 1 else ([], "")


def _labels(bundles: Sequence[Bundle]) -> list[str]:
    """A name for each bundle that no other has: that of its folder, else its path, else with a number."""
    names = [bundle.path.name for bundle in bundles]
    if len(set(names)) < len(names):
        names = [str(bundle.path) for bundle in bundles]
    return names if len(set(names)) == len(names) else [f"{index + 1}: {name}" for index, name in enumerate(names)]

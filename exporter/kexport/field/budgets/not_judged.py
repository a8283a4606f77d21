"""The check of a budget that could not be judged."""

from __future__ import annotations

from dataclasses import replace

from kexport.bundle.report import Check, CheckKind, Subject


def not_judged(subject: Subject, budget: str, *why: str) -> Check:
    """A check that was not run, which names its budget as those do that were."""
    first, *rest = why
    check = Check.not_run(CheckKind.BUDGET, subject, f"{budget}: {first}", *rest)
    return replace(check, metrics={"budget": budget})

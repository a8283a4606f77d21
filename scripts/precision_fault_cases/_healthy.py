"""Healthy artifacts in small precisions, of several seeds: what is said against them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import kexport
import precision_fault_cases
from kexport.bundle.report import CheckKind
from kexport.parity.budget import Budget
from precision_fault_cases._planting import build

SEEDS = 5
_RUNTIMES = ("onnxruntime", "litert", "litert_reference")
_TOLD = 240


def measure(name: str, work: Path, seed: int, seconds: float) -> dict[str, Any]:
    """Build a model with weights of a seed, and search its artifacts."""
    family = precision_fault_cases.get(name)
    target = work / "healthy" / f"{name}.{seed}"
    shutil.rmtree(target, ignore_errors=True)
    try:
        bundle = build(family, target, seed)
    except AssertionError as error:
        return {"artifacts": 0, "searched": 0, "alarms": [str(error)[:_TOLD]], "not_run": []}
    report = kexport.verify(target, list(_RUNTIMES), search=Budget(seconds=seconds, seed=seed))
    wrong = [check for check in report.checks if not check.passed]
    told = [(check, f"{check.artifact} {check.runtime} {check.kind}: {check.detail}"[:_TOLD]) for check in wrong]
    ratios = [c.metrics.get("sqnr_db") for c in report.checks if c.kind is CheckKind.PARITY]
    shutil.rmtree(target)
    return {
        "artifacts": sum(each.precision != "float32" for each in bundle.manifest.artifacts),
        "searched": sum(check.kind is CheckKind.SEARCH and check.ran for check in report.checks),
        "alarms": [text for check, text in told if check.ran],
        "not_run": [text for check, text in told if not check.ran],
        "least_db": min((round(ratio, 1) for ratio in ratios if ratio is not None), default=None),
    }

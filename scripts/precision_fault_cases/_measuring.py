"""All faults of one family in one process: planted, verified with the goldens, and searched for."""

from __future__ import annotations

import json
import re
import shutil
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

import kexport
import precision_fault_cases
from kexport.bundle.folder import Bundle
from kexport.bundle.report import Check, CheckKind, Report
from kexport.errors import ExportError
from kexport.factory.formats import _small_weights as small_weights
from kexport.parity.budget import Budget
from kexport.runtimes.files import tflite
from precision_fault_cases._family import Fault
from precision_fault_cases._planting import Planter

Record = dict[str, Any]
_TOLD = 240


def measure(name: str, work: Path, only: str, seconds: float, *, narrow: bool = False) -> None:
    """Plant the faults of a family whose names match, and write a record of each.

    Args:
        name: of the family.
        work: where bundles are kept.
        only: what names of faults match.
        seconds: of a search.
        narrow: whether only the precisions of these faults are built.
    """
    family = precision_fault_cases.get(name)
    if narrow:
        chosen = [fault.artifact.partition(".")[0] for fault in family.faults if re.search(only, fault.name)]
        family = replace(family, precisions=tuple(dict.fromkeys(chosen)))
    planter = Planter(family, work)
    for fault in planter.family.faults:
        if not re.search(only, fault.name):
            continue
        try:
            record = found(fault, planter, seconds)
        except Exception:  # noqa: BLE001  a fault that cannot be planted is told, and the next one is tried
            record = {"broken": traceback.format_exc()}
        record_of(fault, work).write_text(json.dumps(record))
        print(json.dumps({"fault": fault.name, **record}), flush=True)


def record_of(fault: Fault, work: Path) -> Path:
    """Where what is measured of a fault is written."""
    return work / fault.family / (fault.name.replace("/", "_") + ".json")


def found(fault: Fault, planter: Planter, seconds: float) -> Record:
    """Plant a fault; what finds it.

    Raises:
        AssertionError: it has no effect.
    """
    faulty = planter.plant(fault)
    by_goldens = kexport.verify(faulty.path, list(fault.runtimes))
    build = by_build(faulty, fault)
    goldens = search = _finding(by_goldens, fault, faulty.path)
    if not goldens["found"]:  # else the search would repeat it
        searched = kexport.verify(faulty.path, list(fault.runtimes), search=Budget(seconds=seconds))
        search = _finding(searched, fault, faulty.path)
    before, after = decibels(planter.healthy.report, fault), decibels(by_goldens, fault)
    record = {
        "kind": fault.kind,
        "model": fault.family,
        "artifact": fault.artifact,
        "healthy_db": before,
        "faulty_db": after,
        "build": build,
        "kernels": _by_kernels(by_goldens, fault),
        "goldens": goldens,
        "search": search,
        "budget_db": budget(planter.healthy, fault),
    }
    assert before != after or goldens["found"], f"{fault.name} has no effect: {before} dB"
    shutil.rmtree(faulty.path)
    return record


def by_build(faulty: Bundle, fault: Fault) -> Record:
    """Whether the build refuses the file by its weights, as it does what a converter has written."""
    read: Any = {"onnx": small_weights.of_onnx, "tflite": lambda path: small_weights.of_tflite(parsed(path))}
    wide, small = (read[fault.format](faulty.path / name) for name in (f"model.{fault.format}", fault.path))
    try:
        small_weights.require_weights(wide, small)
    except ExportError as error:
        return {"found": True, "told": str(error)[:_TOLD]}
    return {"found": False, "told": ""}


def parsed(path: Path) -> Any:
    """A TFLite file."""
    return tflite.parse(path.read_bytes())


def _by_kernels(report: Report, fault: Fault) -> Record:
    """Whether the integers that the kernels gave at the build tell, whatever the budget says."""
    steps = [c.metrics["lsb"] for c in report.checks if c.artifact == fault.path and "lsb" in c.metrics]
    own = [each for each in steps if "own" in each]
    found = any(each["own"] > each["allowed"] for each in own)
    return {"recorded": bool(own), "found": found, "lsb": max((each["own"] for each in own), default=None)}


def decibels(report: Report, fault: Fault) -> float | None:
    """The least ratio of signal to noise of an artifact on the goldens; None where it computed nothing finite."""
    checks = [c for c in report.checks if c.kind is CheckKind.PARITY and c.artifact == fault.path]
    ratios = [c.metrics.get("sqnr_db") for c in checks if c.runtime in fault.runtimes]
    return min((round(ratio, 2) for ratio in ratios if ratio is not None), default=None)


def budget(healthy: Bundle, fault: Fault) -> float | None:
    """The least that the manifest allows, in dB."""
    (artifact,) = (each for each in healthy.manifest.artifacts if each.path == fault.path)
    return min(limit.decibels for limit in artifact.limits if limit.decibels is not None)


def _finding(report: Report, fault: Fault, folder: Path) -> Record:
    failed = [check for check in report.checks if not check.passed and check.ran and _about(check, fault)]
    return {
        "found": bool(failed),
        "by": sorted({str(check.kind) for check in failed}),
        "told": failed[0].detail.replace(f"{folder}/", "")[:_TOLD] if failed else "",
    }


def _about(check: Check, fault: Fault) -> bool:
    return check.artifact in (None, fault.path) or fault.path in (check.artifact or "")

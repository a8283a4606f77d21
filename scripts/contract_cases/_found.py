"""Whether a planted break is found: in every runtime, each on its own and with several seeds."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import contract_cases
import kexport
from contract_cases import _effect
from contract_cases._broken import Broken
from kexport import runtimes
from kexport.bundle.folder import Bundle
from kexport.contracts import Effort, Function, Slack, WeightContract, kinds
from kexport.parity.space import space_of
from kexport.parity.tolerance import for_kernels
from kexport.runtimes import Runtime, Session

FORMATS = ("keras", "saved_model", "onnx", "tflite")
SEEDS = 3


def names() -> list[str]:
    """Of all planted breaks."""
    return [case.name for case in contract_cases.every()]


def work(name: str, folder: Path) -> dict[str, Any]:
    """Build the broken model, measure what is planted, and let every runtime find it."""
    case = contract_cases.get(name)
    target = folder / "bundle"
    for place in (target, folder / "bundle.rejected"):
        shutil.rmtree(place, ignore_errors=True)
    built = kexport.build(case.model(), target, formats=FORMATS, domain=case.domains())
    others = [check for check in built.report.checks if check.kind != "contract" and not check.passed]
    record: dict[str, Any] = {
        "kind": case.kind,
        "title": case.title,
        "promise": kinds.text(case.contract()),
        "otherwise": [f"{check.kind} {check.runtime}: {check.detail}"[:300] for check in others],
        "rejected": not built.passed,
    }
    if isinstance(case.contract(), WeightContract):
        failed = [check for check in built.report.checks if check.kind == "contract" and not check.passed]
        figures = {"figure": failed[0].figure, "limit": failed[0].limit} if failed else {}
        return {**record, "found": {"build": bool(failed)}, **figures}
    shutil.rmtree(built.path / "witnesses", ignore_errors=True)  # what one runtime found must not help the next
    bundle = Bundle.open(built.path)
    opened = {runtime.name: (session, slack) for runtime, session, slack in sessions(bundle)}
    record["effect"] = _effect.effect(case, bundle, *opened["onnxruntime"])
    record["found"] = {
        name: [_one(case, bundle, *pair, seed) for seed in range(SEEDS)] for name, pair in opened.items()
    }
    return record


def sessions(bundle: Bundle) -> Iterator[tuple[Runtime, Session, Slack]]:
    """Every runtime that reads an artifact of the bundle."""
    for artifact in bundle.manifest.artifacts:
        for runtime in runtimes.every():
            if runtime.reads == artifact.format:
                limits = {
                    each.output: for_kernels(each, runtime.accumulation_factor) for each in bundle.manifest.limits
                }
                session = runtime.open(bundle.path / artifact.path, bundle.signature)
                yield runtime, session, Slack(limits, bundle.manifest.ulp)


def _one(case: Broken, bundle: Bundle, session: Session, slack: Slack, seed: int) -> dict[str, Any]:
    """The verdict of the contract that is broken, at default effort."""
    space = space_of(bundle)
    outputs = [spec.name for spec in bundle.signature.outputs]
    began = time.monotonic()
    verdict = case.contract().check(
        Function(session, space, case.spoken_of(), outputs), space, slack, Effort(seed=seed)
    )
    return {
        "found": verdict.ran and not verdict.passed,
        "figure": verdict.figure,
        "limit": verdict.limit,
        "tried": verdict.tried,
        "seconds": round(time.monotonic() - began, 2),
    }

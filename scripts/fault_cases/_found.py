"""Whether a fault is found: by the goldens, by a search, by what others do; and which layer is named."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import kexport
from fault_cases._effect import Feeds, one_batch, opened
from fault_cases._family import Fault
from kexport.bundle import manifest as manifests
from kexport.bundle import witnesses
from kexport.bundle.folder import Bundle
from kexport.bundle.report import Report
from kexport.parity.budget import Budget

SECONDS = 60.0
BATCH = 32
CLOSE = 1e-5
_LOCALISING = 600  # seconds


def by_goldens(path: Path, runtime: str) -> dict[str, Any]:
    """Whether `kexport verify` fails, and by which kinds of checks."""
    report = kexport.verify(path, [runtime])
    failed = sorted({check.kind for check in report.checks if not check.passed and check.ran})
    return {"found": bool(failed), "by": failed}


def by_search(path: Path, runtime: str, budget: Budget, searched: Path) -> dict[str, Any]:
    """Whether `kexport verify --search` fails; after how many seconds and evaluations the search does, what it says.

    It is made with the runtimes of a device first, and where they find nothing with TensorFlow's too.

    Args:
        path: the path of the bundle.
        runtime: to search.
        budget: of the search.
        searched: takes a copy of the bundle, with the input that was found.
    """
    shutil.rmtree(searched, ignore_errors=True)
    shutil.copytree(path, searched)
    report = _searched_as_on_a_device(searched, runtime, budget)
    if report is None or not any(not check.passed and check.ran for check in report.checks):
        report = kexport.verify(searched, [runtime], search=budget)
    checks = [check for check in report.checks if check.kind == "search"]
    failed = [check for check in report.checks if not check.passed and check.ran]
    metrics: Mapping[str, Any] = checks[0].metrics if checks else {}
    told = checks or [check for check in report.checks if not check.passed]
    return {
        "found": bool(failed),
        "alone": any(check.kind == "search" for check in failed),
        "ran": bool(checks) and all(check.ran for check in checks),
        "seconds": round(float(metrics.get("seconds", 0.0)), 1),
        "evaluations": metrics.get("evaluations"),
        "told": "; ".join(check.detail for check in told)[:300],
    }


def _searched_as_on_a_device(bundle: Path, runtime: str, budget: Budget) -> Report | None:
    """Search with the runtimes that a device has: of ONNX and TFLite alone; what is found goes into the bundle."""
    if runtime in ("saved_model", "keras"):
        return None
    device = bundle.with_name(f"{bundle.name}.device")
    shutil.rmtree(device, ignore_errors=True)
    shutil.copytree(bundle, device)
    own = manifests.read(device)
    kept = tuple(artifact for artifact in own.artifacts if artifact.format in ("onnx", "tflite"))
    manifests.write(device, replace(own, artifacts=kept))
    report = kexport.verify(device, [runtime], search=budget)
    if (device / witnesses.FOLDER).exists():
        shutil.copytree(device / witnesses.FOLDER, bundle / witnesses.FOLDER, dirs_exist_ok=True)
    shutil.rmtree(device)
    return report


def by_one_batch(healthy: Bundle, faulty: Bundle, fault: Fault) -> dict[str, Any]:
    """Whether one random batch, compared with Keras to 1e-5, shows it; and whether the healthy artifact does too."""
    feeds = one_batch(healthy, BATCH)
    wanted = opened(healthy, "keras")(feeds)
    return {
        "found": not _close(opened(faulty, fault.format)(feeds), wanted),
        "alarm": not _close(_own(healthy, fault.format, feeds), wanted),
    }


def _own(healthy: Bundle, format_name: str, feeds: Feeds) -> Any:
    return opened(healthy, format_name)(feeds)


def _close(values: Any, wanted: Any) -> bool:
    if values is None or wanted is None:
        return False
    return all(
        value.shape == want.shape and np.allclose(value, want, rtol=0, atol=CLOSE, equal_nan=True)
        for value, want in zip(values, wanted, strict=True)
    )


def by_localise(path: Path, fault: Fault) -> dict[str, Any]:
    """The layers that `kexport localise` names first, on the goldens or on an input that a search has found."""
    command = [sys.executable, "-m", "kexport", "localise", str(path), "--runtime", fault.runtime, "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=_LOCALISING, stdin=subprocess.DEVNULL, check=False
    )
    try:
        (found,) = json.loads(done.stdout)["localisations"]
    except (ValueError, KeyError):
        return {"named": "", "right": False, "told": (done.stderr or done.stdout).strip()[-300:]}
    if not found["partings"]:
        told = "; ".join(found["notes"]) or "nothing parts"
        last = re.search(r"the fault lies between (.+) and the outputs", told)
        layers = last[1].split(", ") if last else []
        right = len(layers) == 1 and fault.layer in layers[0].split("/")
        return {"named": layers[0] if right else "", "right": right, "told": told}
    first = found["partings"][0]
    names = [first["layer"], *first["with_it"]]
    # A layer inside of the planted one is a part of it: an attention layer names its own projections.
    inside = [fault.layer in name.split("/") for name in names]
    return {"named": " or ".join(names), "right": inside[0], "among": any(inside)}

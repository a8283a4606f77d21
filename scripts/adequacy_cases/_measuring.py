"""One model: its bundle, and whether each change is found by verification, or was listed as unseen at the build."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import kexport
from adequacy_cases import _changes, _current
from adequacy_cases._listing import Listing
from fault_cases._planting import convert, set_digest
from kexport import runtimes
from kexport.bundle.folder import Bundle
from kexport.factory.trace.program import trace
from kexport.field.verification import Processes, Verification, verify_bundle

_ONNX = ("onnx", "onnxruntime", "model.onnx")
#: What ONNX has no operations for: format, runtime, path.
_OTHERS = {"review": ("keras", "keras", "model.keras")}
_SAMPLES, _LENGTHS = 64, (16, 7, 33)

Record = dict[str, Any]


def measure(name: str, folder: Path) -> Record:
    """The record of a model: what its bundle says of itself, and every change."""
    _current.name = name
    place = _OTHERS.get(name, _ONNX)
    bundle = kexport.build("adequacy_cases._current:model", folder / "healthy", formats=[place[0]])
    checks = [check for check in bundle.report.checks if not check.passed]
    wrong = [f"{check.kind} {check.runtime or ''}: {check.detail[:300]}" for check in checks if check.ran]
    listing = Listing.of(json.loads((bundle.path / "manifest.json").read_text()))
    planting = _Planting(bundle, place, folder)
    rows: dict[str, Record] = {}
    for change in _changes.every(_current.made):
        row = rows.setdefault(
            change.tensor, {"changes": 0, "found": 0, "listed": 0, "without_effect": [], "missed": []}
        )
        row["changes"] += 1
        planting.plant(change)
        told = f"{change.kind} {list(map(list, change.where))}" if change.where else change.kind
        if planting.found():
            row["found"] += 1
        elif listing.names(change.tensor, change.where):
            row["listed"] += 1
        else:
            row["missed" if planting.has_effect() else "without_effect"].append(told)
    unchecked = [check.detail[:300] for check in checks if not check.ran]
    return {"wrong": wrong, "unchecked": unchecked, "tensors": rows}


class _Planting:
    """A copy of a bundle, whose artifact is that of a changed model.

    Args:
        healthy: the bundle.
        place: the artifact's format, runtime and path.
        folder: to work in.
    """

    def __init__(self, healthy: Bundle, place: tuple[str, str, str], folder: Path) -> None:
        self.healthy = healthy
        self._format, self._runtime, self._path = place
        self._target = folder / "changed"
        shutil.copytree(healthy.path, self._target)
        self._program = trace(_current.made)
        self.plant(None)
        assert self.found() == "", f"the artifact that is planted without a change fails: {self.found()}"

    def plant(self, change: _changes.Change | None) -> None:
        """Put the changed model's file in the place of the healthy one, with its digest in the manifest."""
        path = self._target / self._path
        path.unlink()
        if change is None:
            convert(self._program, self._format, path)
        else:
            with change.made():
                convert(trace(_current.made) if change.retrace else self._program, self._format, path)
        set_digest(self.healthy, self._target, self._format)

    def found(self) -> str:
        """What verification says against the planted file; empty when nothing."""
        bundle, runtime = Bundle.open(self._target), runtimes.get(self._runtime)
        # In this process: what is counted is what the checks see, and starting a process takes longer than they do.
        processes = Processes({}, frozenset({self._runtime}))
        report = verify_bundle(Verification(bundle, (runtime,), processes=processes))
        return "; ".join(check.detail for check in report.checks if check.ran and not check.passed)

    def has_effect(self) -> bool:
        """Whether any of some thousand samples of the domain shows the change."""
        rng = np.random.default_rng(3)
        one, other = (self._opened(path) for path in (self.healthy.path, self._target))
        domains = self.healthy.domains()
        dynamic = any(None in spec.shape[1:] for spec in self.healthy.signature.inputs)
        for number in range(64):
            length = _LENGTHS[number % len(_LENGTHS)] if dynamic else 1
            feeds = {
                spec.name: np.asarray(
                    domains[spec.name].sample(rng, (_SAMPLES, *(length if n is None else n for n in spec.shape[1:])))
                ).astype(spec.numpy_dtype)
                for spec in self.healthy.signature.inputs
            }
            if self._differ(one(feeds), other(feeds)):
                return True
        return False

    def _opened(self, path: Path) -> Any:
        return runtimes.get(self._runtime).open(path / self._path, self.healthy.signature)

    def _differ(self, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        """Whether an output moves beyond its limit."""
        for limit in self.healthy.manifest.limits:
            a, b = one[limit.output], other[limit.output]
            if a.dtype.kind != "f":
                if not np.array_equal(a, b):
                    return True
            elif np.nanmax(np.abs(a.astype(np.float64) - b.astype(np.float64)), initial=0.0) > limit.absolute:
                return True
        return False

"""Whether healthy configurations are left in peace: every promise, in every runtime, with several seeds."""

from __future__ import annotations

import importlib
import itertools
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import contract_cases
import kexport
from contract_cases import _current, layers
from contract_cases._configuration import FORMATS, Configuration
from kexport import runtimes
from kexport.bundle.folder import Bundle
from kexport.contracts import Effort
from kexport.field.verification import ArtifactInRuntime, check_artifact

SEEDS = 5
#: Runtimes without TensorFlow, which are checked with every seed; the others with the first.
#: The first third of every so many configurations is built to all formats, the rest to those of devices.
_FILES = 13
DEVICE = ("onnxruntime", "litert", "litert_reference")


def every() -> list[Configuration]:
    """All configurations, of each layer one after another."""
    names = contract_cases.files(layers)
    files = [importlib.import_module(f"{layers.__name__}.{name}").CONFIGURATIONS for name in names]
    found = [each for row in itertools.zip_longest(*files) for each in row if each is not None]
    known = [each.name for each in found]
    assert len(set(known)) == len(known), sorted({name for name in known if known.count(name) > 1})
    return found


def names() -> list[str]:
    """Of all configurations."""
    return [each.name for each in every()]


def work(name: str, folder: Path) -> dict[str, Any]:
    """Build a configuration, and check it in every runtime with every seed."""
    every_one = every()
    position, configuration = next((at, each) for at, each in enumerate(every_one) if each.name == name)
    _current.configuration = configuration
    target = folder / "bundle"
    for place in (target, folder / "bundle.rejected"):
        shutil.rmtree(place, ignore_errors=True)
    bundle = kexport.build(
        "contract_cases._current:model",
        target,
        formats=FORMATS if position % (3 * _FILES) < _FILES else FORMATS[2:],
        domain=configuration.domains(),
        contracts=configuration.promises,
    )
    record: dict[str, Any] = {
        "layers": list(configuration.layers),
        "promises": [f"{each.kind} by {each.layer}" for each in bundle.manifest.contracts],
        "not_carried": [
            f"{each.kind} by {each.layer}, ended by {each.ended_by}" for each in bundle.manifest.not_carried
        ],
        "runtimes": {},
        "alarms": [],
    }
    began = time.monotonic()
    for check in bundle.report.checks:  # the build has used the first seed
        _count("at the build", check, record)
    for seed in range(1, SEEDS):
        for check in _checked(bundle, seed):
            _count(f"seed {seed}", check, record)
    record["seconds"] = round(time.monotonic() - began, 1)
    shutil.rmtree(bundle.path, ignore_errors=True)
    return record


def _checked(bundle: Bundle, seed: int) -> Iterator[Any]:
    """The checks in each runtime that a device has."""
    for artifact in bundle.manifest.artifacts:
        for runtime in runtimes.every():
            if runtime.reads == artifact.format and runtime.name in DEVICE:
                limits = bundle.manifest.limits
                yield from check_artifact(ArtifactInRuntime.of(bundle, artifact, runtime, limits), Effort(seed=seed))


def _count(when: str, check: Any, record: dict[str, Any]) -> None:
    """Count a check: those of parity, those of them that passed, those of promises, those of them that were kept."""
    if check.runtime:
        counts = record["runtimes"].setdefault(check.runtime, [0, 0, 0, 0])
        at = 2 if check.kind == "contract" else 0
        counts[at] += 1
        counts[at + 1] += check.passed
    if not check.passed:
        record["alarms"].append(_told(when, check))


def _told(when: str, check: Any) -> str:
    figures = f"{check.figure} of {check.limit}" if check.figure is not None else ""
    return f"{when}: {check.runtime} {check.kind} {check.contract or ''} {figures} {check.detail}"[:400]

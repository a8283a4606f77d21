"""Healthy models on which a search must find nothing: those of the families, and cases of the coverage page."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import fault_cases
import kexport
from fault_cases._planting import Planter, failures
from fault_cases._resaved import resave
from kexport.bundle import manifest as manifests
from kexport.bundle.digests import digest, size
from kexport.bundle.folder import Bundle
from kexport.parity.budget import Budget

RUNTIMES = ("onnxruntime", "litert", "litert_reference", "saved_model")
SEEDS = 5
SECONDS = 2.0


@dataclass(frozen=True)
class Drawn:
    """A case of the coverage page, with a domain to search.

    Attributes:
        group: of the case.
        case: its name.
        domain: of each input.
    """

    group: str
    case: str
    domain: Mapping[str, str]

    @property
    def name(self) -> str:
        """As a file may be named."""
        return f"{self.group} {self.case}".replace("/", " ")


_STEPS = {"x": "uniform(-2, 2)"}
DRAWN = (
    Drawn("layers", "LayerNormalization/default", {"x": "uniform(-3, 3)"}),
    Drawn("layers", "BatchNormalization/after_conv", _STEPS),
    Drawn("layers", "GroupNormalization/default", _STEPS),
    Drawn("layers", "RMSNormalization/dynamic", _STEPS),
    Drawn("layers", "UnitNormalization/default", {"x": "uniform(0.5, 2)"}),
    Drawn("layers", "LSTM/stacked", _STEPS),
    Drawn("layers", "GRU/backwards_dynamic", _STEPS),
    Drawn("layers", "SimpleRNN/sequences", _STEPS),
    Drawn("layers", "Bidirectional/lstm_dynamic", _STEPS),
    Drawn("layers", "ConvLSTM2D/default", _STEPS),
    Drawn("layers", "MultiHeadAttention/causal", _STEPS),
    Drawn("layers", "Attention/scaled", {"x0": "uniform(-2, 2)", "x1": "uniform(-2, 2)"}),
    Drawn("layers", "Dense/mixed_float16", _STEPS),
    Drawn("layers", "Conv2D/mixed_float16", _STEPS),
    Drawn("layers", "Rescaling/uint8", {"x": "ints(0, 256)"}),
    Drawn("layers", "Resizing/bilinear_up", {"x": "uniform(0, 255)"}),
    Drawn("layers", "Discretization/int", {"x": "uniform(-3, 3)"}),
    Drawn("layers", "Conv2DTranspose/same_strides", _STEPS),
    Drawn("models", "functional/int output", _STEPS),
    Drawn("models", "functional/mixed bfloat16", _STEPS),
    Drawn("models", "functional/transformer", _STEPS),
    Drawn("models", "functional/autoencoder", {"x": "uniform(0, 1)"}),
    Drawn("ops", "argmax/last", _STEPS),
    Drawn("ops", "floor_divide/default", {"x0": "uniform(-5, 5)", "x1": "uniform(0.5, 3)"}),
    Drawn("ops", "mod/int", {"x0": "ints(-100, 100)", "x1": "ints(1, 20)"}),
    Drawn("ops", "divide/default", {"x0": "uniform(-2, 2)", "x1": "uniform(0.01, 2)"}),
    Drawn("ops", "exp/default", {"x": "uniform(-90, 88)"}),
    Drawn("ops", "logsumexp/far", {"x": "uniform(-200, 200)"}),
)  # fmt: skip


def names() -> list[str]:
    """All healthy models."""
    return [*(family.name for family in fault_cases.every()), *(drawn.name for drawn in DRAWN)]


def build(name: str, work: Path) -> Path:
    """The bundle of a healthy model, built when it is not there.

    Raises:
        AssertionError: it does not pass its own checks.
    """
    families = {family.name: family for family in fault_cases.every()}
    if name in families:
        return Planter(families[name], work).healthy.path
    (drawn,) = (drawn for drawn in DRAWN if drawn.name == name)
    target = work / "healthy" / name
    if not target.exists():
        import coverage_cases
        from coverage_cases import _current

        (_current.case,) = (case for case in coverage_cases.every([drawn.group]) if case.name == drawn.case)
        bundle = kexport.build(
            "coverage_cases._current:model",
            target,
            formats=_current.case.formats,
            domain=dict(drawn.domain),
            allow_lambda=True,
        )
        assert bundle.passed, f"{name}: {failures(bundle)}"
    return target


def search(path: Path, seed: int) -> list[dict[str, Any]]:
    """Search every runtime for a short time; a check of each, with what it says where it fails."""
    able = {artifact.format for artifact in Bundle.open(path).manifest.artifacts}
    assert {"onnx", "tflite", "saved_model"} <= able, f"{path.name}: {able}"
    copy = path.with_name(f"{path.name}.searched.{seed}")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(path, copy)
    try:
        report = kexport.verify(copy, list(RUNTIMES), search=Budget(seconds=SECONDS, seed=seed))
    finally:
        shutil.rmtree(copy, ignore_errors=True)
    kinds = ("search", "runtime", "parity", "signature", "digest")
    return [
        {"runtime": check.runtime, "kind": check.kind, "alarm": not check.passed and check.ran, "ran": check.ran}
        | ({} if check.passed else {"told": check.detail[:300]})
        for check in report.checks
        if check.kind in kinds and (check.kind == "search" or not check.passed)
    ]


def resaved(path: Path, seed: int) -> list[str]:
    """What fails when both files are written anew in another order; nothing should."""
    copy = path.with_name(f"{path.name}.resaved.{seed}")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(path, copy)
    try:
        bundle = Bundle.open(copy)
        artifacts = []
        for artifact in bundle.manifest.artifacts:
            if artifact.format in ("onnx", "tflite"):
                resave(copy / artifact.path, artifact.format, seed)
                own = copy / artifact.path
                assert digest(own) != artifact.sha256, f"{own.name} is the same file"
                artifact = replace(artifact, sha256=digest(own), bytes=size(own))
            artifacts.append(artifact)
        manifests.write(copy, replace(bundle.manifest, artifacts=tuple(artifacts)))
        report = kexport.verify(copy, list(RUNTIMES[:3]), search=Budget(seconds=SECONDS, seed=seed))
        return [f"{check.runtime} {check.kind}: {check.detail[:300]}" for check in report.checks if not check.passed]
    finally:
        shutil.rmtree(copy, ignore_errors=True)

"""Building a bundle of small precisions once, and planting a fault in a copy of it."""

from __future__ import annotations

import shutil
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import kexport
from kexport.bundle import manifest as manifests
from kexport.bundle.digests import digest, size
from kexport.bundle.folder import Bundle
from kexport.runtimes.files import onnx, tflite
from precision_fault_cases._family import GRAPHS, Family, Fault

FORMATS = ("onnx", "tflite")
_STAMP = "stamp"


def build(family: Family, target: Path, seed: int = 0) -> Bundle:
    """The bundle of a healthy model.

    Raises:
        AssertionError: it does not pass its own checks.
    """
    bundle = kexport.build(
        family.healthy(seed), target, formats=list(FORMATS), domain=dict(family.domain),
        precision=list(family.precisions), io=family.io, calibration="domain" if "int8" in family.precisions else None,
    )  # fmt: skip
    wrong = [f"{c.artifact} {c.runtime}: {c.kind}: {c.detail}" for c in bundle.report.checks if not c.passed]
    assert bundle.passed, f"{family.name}, seed {seed}: the healthy model fails: {'; '.join(wrong)}"
    return bundle


class Planter:
    """The healthy bundle of a family, and copies of it with one faulty artifact.

    Args:
        family: of the model.
        work: where bundles are kept; a healthy one is built again when the file of its family has changed.
    """

    def __init__(self, family: Family, work: Path) -> None:
        self.family, self.folder = family, work / family.name
        target, stamp = self.folder / "healthy", self.folder / _STAMP
        source = Path(__file__).parent / "families" / f"{family.name}.py"
        mark = str(zlib.crc32(source.read_bytes().partition(b"return keras.Model")[0]))
        if not (target.exists() and stamp.exists() and stamp.read_text() == mark):
            shutil.rmtree(self.folder, ignore_errors=True)
            build(family, target)
            stamp.write_text(mark)
        self.healthy = Bundle.open(target)

    def plant(self, fault: Fault) -> Bundle:
        """A bundle of the float32 artifacts and the faulty one, with its digest in the manifest.

        Raises:
            AssertionError: the artifact is not as the fault expects it.
        """
        target = self.folder / fault.name.replace("/", "_")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.healthy.path, target)
        path = target / fault.path
        before = digest(path)
        graph: Any = GRAPHS[fault.format](path)
        fault.edit(graph)
        graph.save()
        assert digest(path) != before, f"{fault.name} changes nothing"
        artifacts = []
        for artifact in self.healthy.manifest.artifacts:
            if artifact.path == fault.path:
                read = {"onnx": onnx.details, "tflite": tflite.details}[fault.format]
                details = {**artifact.details, **(read(path) if fault.converted else {})}
                artifacts.append(replace(artifact, sha256=digest(path), bytes=size(path), details=details))
            elif artifact.precision == "float32":
                artifacts.append(artifact)
        manifests.write(target, replace(self.healthy.manifest, artifacts=tuple(artifacts)))
        return Bundle.open(target)

"""Building a healthy bundle once, and planting a fault in a copy of it."""

from __future__ import annotations

import importlib
import shutil
import tempfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import kexport
from fault_cases._family import PATHS, Family, Fault
from fault_cases._onnx_graph import OnnxGraph
from fault_cases._rebuilt import Changed, rebuilt
from fault_cases._tflite_graph import TfliteGraph
from kexport.bundle import manifest as manifests
from kexport.bundle.digests import digest, size
from kexport.bundle.folder import Bundle
from kexport.runtimes.files import onnx, tflite

_STAMP = "stamp"


class Planter:
    """The healthy bundle of a family, and copies of it with one faulty artifact.

    Args:
        family: of the model.
        work: where bundles are kept; a healthy one is built again when the file of its family has changed.
    """

    def __init__(self, family: Family, work: Path) -> None:
        self.family = family
        self.folder = work / family.name
        self.healthy = self._build()

    def _build(self) -> Bundle:
        target, stamp = self.folder / "healthy", self.folder / _STAMP
        mark = stamp_of(self.family)
        if not (target.exists() and stamp.exists() and stamp.read_text() == mark):
            shutil.rmtree(self.folder, ignore_errors=True)
            bundle = kexport.build(self.family.healthy(), target, domain=dict(self.family.domain))
            assert bundle.passed, f"{self.family.name}: the healthy model fails: {failures(bundle)}"
            stamp.write_text(mark)
        return Bundle.open(target)

    def place_of(self, fault: Fault) -> Path:
        """Where the bundle with a fault is."""
        return self.folder / fault.name.replace("/", "_")

    def record_of(self, fault: Fault) -> Path:
        """Where what is measured of it is written."""
        return self.folder / (fault.name.replace("/", "_") + ".json")

    def plant(self, fault: Fault) -> Bundle:
        """A bundle whose artifact of the fault's format is faulty.

        Raises:
            AssertionError: the artifact is not as the fault expects it.
        """
        target = self.place_of(fault)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.healthy.path, target)
        path = target / PATHS[fault.format]
        if fault.edit is not None:
            graph = (OnnxGraph if fault.format == "onnx" else TfliteGraph)(path)
            fault.edit(graph)
            graph.save()
        else:
            assert fault.changed is not None
            self._convert(fault.changed, fault, path)
        if fault.known_digest:
            set_digest(self.healthy, target, fault.format)
        return Bundle.open(target)

    def _convert(self, changed: Changed, fault: Fault, path: Path) -> None:
        """Put the artifact that a changed model is converted into in the place of the healthy one."""
        from kexport.factory.trace.program import trace

        healthy = self.family.healthy()
        other = self.family.healthy(**changed.arguments) if changed.arguments else healthy
        program = trace(rebuilt(healthy, other, changed, fault.layer))
        names = [spec.name for spec in (*program.signature.inputs, *program.signature.outputs)]
        wanted = [spec.name for spec in (*self.healthy.signature.inputs, *self.healthy.signature.outputs)]
        assert names == wanted, f"{fault.name}: {names} instead of {wanted}"
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        convert(program, fault.format, path)


def convert(program: Any, format_name: str, path: Path) -> None:
    """Write a traced model in one format, as a build does, in this process."""
    from kexport.factory import formats
    from kexport.factory.emit import handover

    form = formats.get(format_name)
    if form.writer is not None:
        form.writer(program, path)
        return
    module, _, function = (form.converter or "").partition(":")
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        handover.write(program, Path(folder) / "handover")
        converter: Any = getattr(importlib.import_module(module), function)
        list(converter(str(Path(folder) / "handover"), str(path), {"opset": None}))


def set_digest(healthy: Bundle, target: Path, format_name: str) -> None:
    """Let the manifest describe the artifact that is there, as after a conversion that went wrong."""
    artifacts = []
    for artifact in healthy.manifest.artifacts:
        if artifact.format == format_name:
            path = target / artifact.path
            read = {"onnx": onnx.details, "tflite": tflite.details}.get(format_name)
            details = {**artifact.details, **(read(path) if read else {})}
            artifact = replace(artifact, sha256=digest(path), bytes=size(path), details=details)
        artifacts.append(artifact)
    manifests.write(target, replace(healthy.manifest, artifacts=tuple(artifacts)))


def stamp_of(family: Family) -> str:
    """Changes when the file of the family does."""
    source = Path(__file__).parent / "families" / f"{family.name}.py"
    return str(zlib.crc32(source.read_bytes()))


def failures(bundle: Bundle) -> str:
    """What failed in the report of a bundle."""
    return "; ".join(f"{c.runtime}: {c.output}: {c.detail}" for c in bundle.report.checks if not c.passed)

"""Conversions that need not be made again: an earlier build of the same bundle has made them of the same.

What an artifact was converted from is known by its content: the traced program with its weights, the options, our own
code, and the versions of the packages. A build that changes what is promised, tolerated or searched for changes none of
that, and checks the artifacts that are there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kexport.bundle import store
from kexport.bundle.digests import digest
from kexport.bundle.folder import Bundle
from kexport.bundle.kernels_entry import KERNELS
from kexport.errors import KexportError
from kexport.factory.emit import handover
from kexport.factory.fingerprint import digest_of, own_code, package_versions

#: The name of the entry, in that of an artifact.
CONVERTED_FROM = "converted_from"
#: What is found out about an artifact after it was converted.
_LATER = (CONVERTED_FROM, KERNELS, "outside_ranges")


class EarlierConversions:
    """The artifacts of earlier builds.

    Args:
        folders: of bundles, there or not.
        max_bytes: as `Bundle.open`.

    Attributes:
        taken: the paths of the artifacts that were taken.
    """

    def __init__(self, folders: tuple[Path, ...] = (), max_bytes: int = 0) -> None:
        self._bundles = []
        self.taken: list[str] = []
        for folder in folders:
            if folder.is_dir():
                with contextlib.suppress(KexportError):  # a build replaces it
                    self._bundles.append(Bundle.open(folder, max_bytes))

    @classmethod
    def of_target(cls, target: Path, max_bytes: int) -> EarlierConversions:
        """Those of a bundle, and of a build of it that was rejected."""
        return cls((target, store.rejected(target)), max_bytes)

    def take(self, path: str, key: str, folder: Path) -> Mapping[str, Any] | None:
        """Copy an artifact, with the files beside it, if it was converted from the same and is whole.

        Args:
            path: of the artifact in its bundle.
            key: what it must have been converted from.
            folder: where to.

        Returns:
            What its converter told of it; None where there is none.
        """
        for bundle in self._bundles:
            for artifact in bundle.manifest.artifacts:
                if artifact.path != path or not key or artifact.details.get(CONVERTED_FROM) != key:
                    continue
                with contextlib.suppress(KexportError, OSError):
                    for name, sha256 in artifact.files:
                        shutil.copyfile(bundle.path / name, folder / name)
                        if digest(folder / name) != sha256:
                            break
                    else:
                        details = {name: value for name, value in artifact.details.items() if name not in _LATER}
                        self.taken.append(path)
                        beside = [name for name, _ in artifact.files[1:]]
                        return {**details, **({"external": beside} if beside else {})}
                for name, _ in artifact.files:
                    store.remove(folder / name)
        return None


def converted_from(folder: Path, options: Mapping[str, object]) -> str:
    """The SHA-256 of all that a conversion follows from.

    Args:
        folder: what was handed over to the converter.
        options: of the converter.

    Returns:
        It; empty where something has no bytes of its own: a model that keeps state is handed over as a SavedModel.
    """
    if (folder / handover.STATEFUL).exists():
        return ""
    rest = json.loads((folder / handover.REST).read_text())
    del rest["lines"]  # where the user's code lies: for messages alone
    captured = [capture.pop("placeholder") for capture in rest["captures"]]
    parts = {
        "graph": _graph_digest(folder / handover.GRAPH, captured),
        "weights": digest(folder / handover.WEIGHTS),
        "rest": rest,
        "options": dict(options),
        "code": own_code(),
        "versions": package_versions(),
        "platform": [sys.platform, platform.machine()],
    }
    return digest_of(parts)


def narrowed_from(key: str, calibration: Path, *settings: object) -> str:
    """The same for a small precision of it, with the inputs that it was calibrated on and further settings."""
    return digest_of([key, digest(calibration), settings]) if key else ""


def _graph_digest(path: Path, captured: Sequence[str]) -> str:
    """The SHA-256 of a graph; TensorFlow names what a function captures by how many tensors the process has made.

    Args:
        path: of the graph.
        captured: the names of the placeholders of captures.
    """
    from tensorflow.core.framework import graph_pb2

    graph = graph_pb2.GraphDef()
    graph.ParseFromString(path.read_bytes())
    numbers = {name: f"capture/{index}" for index, name in enumerate(captured)}
    for node in graph.node:
        if node.name in numbers:
            node.name = numbers[node.name]
            node.attr.pop("_user_specified_name", None)
        for index, name in enumerate(node.input):
            node.input[index] = numbers.get(name, name)
    return hashlib.sha256(graph.SerializeToString(deterministic=True)).hexdigest()

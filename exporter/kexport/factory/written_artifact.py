"""The manifest's entry of an artifact that was written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kexport.bundle.digests import digest, size
from kexport.bundle.manifest import Artifact


def artifact_entry(name: str, precision: str, path: str, folder: Path, details: Mapping[str, Any]) -> Artifact:
    """The entry; its bytes are those of the files beside it too.

    Args:
        name: of the format.
        precision: of the artifact.
        path: of the artifact in the folder.
        folder: that of the bundle.
        details: what the format records.
    """
    beside = [
        {"path": name, "sha256": digest(folder / name), "bytes": size(folder / name)}
        for name in details.get("external", ())
    ]
    return Artifact(
        name,
        precision,
        path,
        digest(folder / path),
        size(folder / path) + sum(file["bytes"] for file in beside),
        {**details, **({"external": beside} if beside else {})},
    )

"""Checks that the files of a bundle are those that were built."""

from __future__ import annotations

from dataclasses import dataclass

from kexport.bundle.folder import Bundle, require_digest
from kexport.bundle.report import Check, CheckKind, Subject
from kexport.errors import ArtifactError


@dataclass(frozen=True)
class Integrity:
    """The checks of the digests of a bundle's files.

    Attributes:
        checks: one per file.
        formats_damaged: the formats with a damaged artifact.
        goldens_damaged: whether the goldens are damaged, which every runtime needs.
    """

    checks: tuple[Check, ...]
    formats_damaged: frozenset[str] = frozenset()
    goldens_damaged: bool = False

    def intact(self, format_name: str) -> bool:
        """Whether the artifacts of a format can be loaded and compared with the goldens."""
        return not self.goldens_damaged and format_name not in self.formats_damaged


def check_digests(bundle: Bundle) -> Integrity:
    """Compare the digests of goldens, recorded samples and artifacts with the manifest."""
    checks: list[Check] = []

    def intact(path: str, sha256: str, declared: int | None = None) -> bool:
        try:
            require_digest(bundle.path, path, sha256, bundle.most(declared))
        except ArtifactError as error:
            checks.append(Check.failure(CheckKind.DIGEST, Subject(path), str(error)))
            return False
        checks.append(Check.success(CheckKind.DIGEST, Subject(path)))
        return True

    manifest = bundle.manifest
    goldens = intact(manifest.goldens.path, manifest.goldens.sha256)
    if manifest.samples is not None:
        intact(manifest.samples.path, manifest.samples.sha256)
    for artifact in manifest.artifacts:
        if (kernels := artifact.kernels) is not None:
            intact(kernels.path, kernels.sha256)
    files = [(artifact, *file) for artifact in manifest.artifacts for file in artifact.files]
    damaged = {artifact.format for artifact, path, sha256 in files if not intact(path, sha256, artifact.bytes)}
    return Integrity(tuple(checks), frozenset(damaged), not goldens)

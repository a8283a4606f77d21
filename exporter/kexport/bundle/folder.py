"""A bundle on disk: the folder, its manifest, and the report of its build."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kexport.bundle import domain, goldens, manifest, samples
from kexport.bundle.digests import digest, size
from kexport.bundle.domain import Domain
from kexport.bundle.goldens import Golden
from kexport.bundle.manifest import Artifact, Manifest
from kexport.bundle.report import Report
from kexport.bundle.signature import Signature
from kexport.errors import ArtifactError, BundleError, UncheckedError

REPORT_NAME = "report.json"


@dataclass(frozen=True)
class Bundle:
    """A folder with a model in one or more formats, and the proof that they agree with it.

    Attributes:
        path: the folder.
        manifest: what it holds.
    """

    path: Path
    manifest: Manifest

    @classmethod
    def open(cls, path: str | Path) -> Bundle:
        """Read the manifest of the bundle at `path`.

        Raises:
            BundleError: there is no bundle, or one that this kexport cannot read.
        """
        return cls(Path(path), manifest.read(Path(path)))

    @property
    def signature(self) -> Signature:
        """Inputs and outputs of the model."""
        return self.manifest.signature

    @cached_property
    def report(self) -> Report:
        """The checks made when the bundle was built."""
        try:
            return Report.from_json(json.loads((self.path / REPORT_NAME).read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BundleError(f"the report of {self.path} cannot be read", got=error) from None

    @property
    def passed(self) -> bool:
        """Whether every check of the build passed."""
        return self.report.passed

    def goldens(self, *, checked: bool = False) -> Iterator[Golden]:
        """Golden inputs and true outputs, one at a time, after their digest was checked, here or before."""
        path = self.path / self.manifest.goldens_path
        if not checked:
            require_digest(path, self.manifest.goldens_sha256)
        return goldens.stream(path, self.signature, self.manifest.cases)

    def domains(self) -> dict[str, Domain]:
        """Where each input lives, as it was when the bundle was built; recorded data included.

        Raises:
            ArtifactError: the recorded data is not what the manifest describes.
            UncheckedError: the bundle tells of recorded data and does not hold it.
        """
        stored, found = self.manifest.samples, {}
        if stored is not None:
            require_digest(self.path / stored.path, stored.sha256)
            found = samples.restored(self.path / stored.path, stored, self.signature)
        texts = self.manifest.domains
        for name, text in texts.items():
            if text.startswith("samples(") and name not in found:
                raise UncheckedError(
                    f"the recorded data of input {name!r} is not in the bundle", got=text, hint="build the bundle again"
                )
        return {name: found[name] if name in found else domain.parse(text) for name, text in texts.items()}

    def artifacts_of(self, format_name: str) -> list[Artifact]:
        """The artifacts in one format."""
        return [artifact for artifact in self.manifest.artifacts if artifact.format == format_name]

    def checked_path(self, artifact: Artifact) -> Path:
        """The path of an artifact whose bytes are those that the manifest describes.

        Raises:
            ArtifactError: it is missing, or its digest differs.
        """
        for path, sha256 in artifact.files:
            require_digest(self.path / path, sha256)
        return self.path / artifact.path


def require_digest(path: Path, expected: str) -> None:
    """Raise `ArtifactError` unless the file or folder at `path` has the SHA-256 `expected`."""
    if not path.exists():
        raise ArtifactError(f"{path.name} is missing from the bundle", hint="copy or build the bundle again")
    found = digest(path)
    if found != expected:
        raise ArtifactError(
            f"{path.name} is not the file that the manifest describes",
            got=f"sha256 {found[:16]}..., {size(path)} bytes",
            expected=f"sha256 {expected[:16]}...",
            hint="it was changed or damaged after the build; copy or build the bundle again",
        )

"""A bundle on disk: the folder, its manifest, and the report of its build."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kexport import notebook
from kexport.bundle import goldens, manifest, report, samples
from kexport.bundle.archives import EXPANSION
from kexport.bundle.digests import digest, size
from kexport.bundle.domain import Domain, parse
from kexport.bundle.goldens import Golden
from kexport.bundle.json_files import FieldError, require_schema
from kexport.bundle.json_text import MOST_JSON, read_json
from kexport.bundle.manifest import Artifact, Manifest
from kexport.bundle.naming import carried
from kexport.bundle.regular_files import MOST_BYTES, exists, most_of
from kexport.bundle.report import Report
from kexport.bundle.signature import Signature
from kexport.errors import ArtifactError, BundleError, UncheckedError, UsageError, nearest

REPORT_NAME = "report.json"


@dataclass(frozen=True)
class Bundle:
    """A folder with a model in one or more formats, and the evidence that they all compute the same function.

    Attributes:
        path: the folder.
        manifest: its content.
        max_bytes: what limits on the sizes of its files are raised to.
    """

    path: Path
    manifest: Manifest
    max_bytes: int = 0

    @classmethod
    def open(cls, path: str | Path, max_bytes: int = 0) -> Bundle:
        """Read the manifest of a bundle.

        Args:
            path: the folder.
            max_bytes: what limits on the sizes of its files are raised to.

        Raises:
            BundleError: there is no bundle, or this kexport cannot read it.
        """
        return cls(Path(path), manifest.read(Path(path), max(MOST_JSON, max_bytes)), max_bytes)

    def __repr__(self) -> str:
        formats = ", ".join(artifact.path for artifact in self.manifest.artifacts)
        return notebook.plain(f"Bundle {self.manifest.name} at {self.path}: {formats}")

    def _repr_html_(self) -> str | None:
        return notebook.drawn(self)

    @property
    def signature(self) -> Signature:
        """Inputs and outputs of the model."""
        return self.manifest.signature

    @cached_property
    def report(self) -> Report:
        """The checks made when the bundle was built.

        Raises:
            BundleError: the report is missing, unreadable, or of a newer schema.
        """
        subject = f"the report of {self.path}"
        try:
            content = read_json(self.path / REPORT_NAME, subject, self.path, max(MOST_JSON, self.max_bytes))
            return Report.from_json(require_schema(subject, content, report.SCHEMA))
        except OSError as error:
            raise BundleError(f"{subject} cannot be read", got=error.strerror or error) from None
        except FieldError as error:
            raise BundleError(f"{subject} is damaged", got=error) from None

    @property
    def artifact_bytes(self) -> int:
        """The declared size of all artifacts, but no more than is there: limits of memory and time follow from it."""
        return sum(min(artifact.bytes, self._present(artifact)) for artifact in self.manifest.artifacts)

    def _present(self, artifact: Artifact) -> int:
        """The size of an artifact's files; 0 for one that cannot be looked at."""
        try:
            return sum(size(self.path / path) for path, _ in artifact.files)
        except OSError:
            return 0

    @property
    def goldens_bytes(self) -> int:
        """The size of the file of goldens, but no more than is read; 0 where it is missing."""
        try:
            return min((self.path / self.manifest.goldens.path).stat().st_size, self.most())
        except OSError:
            return 0

    @property
    def passed(self) -> bool:
        """Whether every check of the build passed."""
        return self.report.passed

    def goldens(self, *, checked: bool = False) -> Iterator[Golden]:
        """Golden inputs and true outputs, one at a time.

        Args:
            checked: whether the caller has checked the digest of the file; otherwise it is checked here.

        Raises:
            ArtifactError: the file is not the one that the manifest describes.
            BundleError: the file is damaged.
        """
        entry = self.manifest.goldens
        if not checked:
            require_digest(self.path, entry.path, entry.sha256, self.most())
        return goldens.stream(self.path / entry.path, self.signature, entry.cases, max(EXPANSION, self.max_bytes))

    def domains(self) -> dict[str, Domain]:
        """The domain of each input when the bundle was built, recorded data included.

        Raises:
            ArtifactError: the recorded data is not what the manifest describes.
            UncheckedError: the domain of an input is recorded data that the bundle does not hold.
        """
        entry, recorded = self.manifest.samples, {}
        if entry is not None:
            require_digest(self.path, entry.path, entry.sha256, self.most())
            expansion = max(EXPANSION, self.max_bytes)
            recorded = samples.restored(self.path / entry.path, entry, self.signature, expansion)
        texts = self.manifest.domains
        for name, text in texts.items():
            if text.startswith("samples(") and name not in recorded:
                raise UncheckedError(
                    f"the recorded data of input {name!r} is not in the bundle", got=text, hint="build the bundle again"
                )
        return {name: recorded[name] if name in recorded else parse(text) for name, text in texts.items()}

    def artifacts_of(self, format_name: str) -> list[Artifact]:
        """The artifacts in one format."""
        return [artifact for artifact in self.manifest.artifacts if artifact.format == format_name]

    def checked_path(self, artifact: Artifact) -> Path:
        """The path of an artifact, after its bytes were compared with the manifest.

        Raises:
            ArtifactError: it is missing, or its digest differs.
        """
        for path, sha256 in artifact.files:
            require_digest(self.path, path, sha256, self.most(artifact.bytes))
        return self.path / artifact.path

    def most(self, declared: int | None = None) -> int:
        """The largest size in bytes of a file for which the manifest declares this size, or none."""
        return most_of(declared, self.max_bytes)


def is_bundle(path: Path) -> bool:
    """Whether a manifest is at a path.

    Raises:
        BundleError: that cannot be known, because the folder cannot be read or no file can have this name.
    """
    try:
        return exists(path / manifest.FILE_NAME)
    except OSError as error:
        raise BundleError(f"{path} cannot be read", got=error.strerror or error) from None


def each_bundle(path: str | Path) -> list[Path]:
    """A bundle's folder itself, or all folders in one that a build of several signatures wrote.

    A folder in there that is no bundle any more is among them, and so is a rejected bundle: whoever opens or checks
    them finds that out.
    """
    folder = Path(path)
    if is_bundle(folder) or not manifest.bundles_in(folder):
        return [folder]
    return sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))


def of_signature(path: Path, signature: str) -> Path:
    """The bundle of one signature, in a folder that a build of several wrote.

    Raises:
        BundleError: the folder has no such bundle.
        UsageError: it is a bundle itself, which is of one function.
    """
    if is_bundle(path):
        raise UsageError(
            f"{path} is a bundle of one function",
            got=f"signature {signature!r}",
            expected="a folder in which each signature has its bundle",
            hint="leave the signature away",
        )
    name, names = carried(signature), manifest.bundles_in(path)
    if names and name not in names:
        raise BundleError(f"{path} has no signature {signature!r}", got=", ".join(names), hint=nearest(name, names))
    return path / name


def require_digest(bundle: Path, path: str, expected: str, most: int = MOST_BYTES) -> None:
    """Check the file or folder at a path in a bundle.

    Args:
        bundle: the folder of the bundle, which no symbolic link may lead out of.
        path: the path in it.
        expected: the SHA-256 digest that it must have.
        most: the largest size in bytes.

    Raises:
        ArtifactError: it is missing, cannot be read, or has another digest.
    """
    place = bundle / path
    if not os.path.lexists(place):
        raise ArtifactError(f"{place.name} is missing from the bundle", hint="copy or build the bundle again")
    actual = digest(place, bundle, most)
    if actual != expected:
        raise ArtifactError(
            f"{place.name} is not the file that the manifest describes",
            got=f"sha256 {actual[:16]}..., {size(place)} bytes",
            expected=f"sha256 {expected[:16]}...",
            hint="it was changed or damaged after the build; copy or build the bundle again",
        )

"""`manifest.json`: what a bundle holds.

Schema rules. `schema` is an integer. A reader accepts every schema up to its own and refuses newer ones. Adding a
key that an old reader may ignore leaves the number as it is; removing or renaming a key, changing what one means,
or adding one that must not be ignored raises it by one, and this file then reads both. Paths are relative to the
bundle, with forward slashes, and never lead out of it. Nothing in a manifest says when, where or by whom the
bundle was built.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from kexport import notebook
from kexport.bundle.adequacy_entry import AdequacyEntry
from kexport.bundle.artifact_entry import Artifact
from kexport.bundle.code_entry import CodeEntry
from kexport.bundle.contract_entries import ContractEntry, NotCarried
from kexport.bundle.domain import brief
from kexport.bundle.json_files import (
    FieldError,
    list_of,
    mapping,
    member,
    object_of,
    optional,
    require_schema,
    text,
    text_map,
    write_json,
)
from kexport.bundle.json_text import MOST_JSON, JsonObject, read_json
from kexport.bundle.limits import OutputLimit
from kexport.bundle.manifest_entries import (
    BuildEntry,
    DomainsEntry,
    GoldensEntry,
    ModelEntry,
    domains_of,
    model_of,
    require_domains,
)
from kexport.bundle.samples import SamplesEntry
from kexport.bundle.signature import Signature
from kexport.errors import BundleError

__all__ = ["FILE_NAME", "SCHEMA", "Artifact", "Manifest", "bundles_in", "read", "write"]

#: 2 has artifacts with limits of their own. What has none is written as 1, which older devices read.
SCHEMA = 2
FILE_NAME = "manifest.json"


@dataclass(frozen=True)
class Manifest:
    """The content of `manifest.json`.

    Attributes:
        name: the name of the bundle.
        model: signature, state and promises of the model.
        artifacts: every one that was written.
        goldens: the golden cases, and the limit of each output.
        inputs: the domain of each input.
        build: versions, and the formats that were refused.
        adequacy: what the goldens see of the model; None in a bundle that does not know.
    """

    name: str
    model: ModelEntry
    artifacts: tuple[Artifact, ...]
    goldens: GoldensEntry
    inputs: DomainsEntry
    build: BuildEntry
    adequacy: AdequacyEntry | None = None

    def __repr__(self) -> str:
        return notebook.plain(f"Manifest of {self.name}: {', '.join(each.path for each in self.artifacts)}")

    @property
    def signature(self) -> Signature:
        """Inputs and outputs of the model."""
        return self.model.signature

    @property
    def stateful(self) -> bool:
        """Whether the model keeps state between calls."""
        return self.model.stateful

    @property
    def contracts(self) -> tuple[ContractEntry, ...]:
        """What the model promises."""
        return self.model.contracts

    @property
    def not_carried(self) -> tuple[NotCarried, ...]:
        """Promises of layers that do not carry over to the model."""
        return self.model.not_carried

    @property
    def code(self) -> tuple[CodeEntry, ...]:
        """The user's code that the bundle needs."""
        return self.model.code

    @property
    def cases(self) -> tuple[str, ...]:
        """One label per golden."""
        return self.goldens.cases

    @property
    def limits(self) -> tuple[OutputLimit, ...]:
        """How far each output may be from the truth."""
        return self.goldens.limits

    @property
    def ulp(self) -> float:
        """One unit in the last place, relative to 1, of the coarsest arithmetic in the model."""
        return self.goldens.ulp

    @property
    def domains(self) -> Mapping[str, str]:
        """The domain of each input, as text."""
        return self.inputs.texts

    @property
    def undeclared(self) -> Mapping[str, str]:
        """For each input without a declared domain, where its domain comes from."""
        return self.inputs.undeclared

    @property
    def samples(self) -> SamplesEntry | None:
        """The file with recorded data, if there is one."""
        return self.inputs.samples

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Versions of the packages that wrote the bundle."""
        return self.build.provenance

    @property
    def refused(self) -> Mapping[str, str]:
        """For each requested format that could not be written, the reason."""
        return self.build.refused

    @property
    def notes(self) -> list[str]:
        """The notes about its domains that every report on the bundle contains."""
        return [
            f"input {name} has no declared domain: {brief(self.domains[name])} is {origin}"
            for name, origin in self.undeclared.items()
        ]

    def to_json(self) -> dict[str, object]:
        """The content of the file."""
        return {
            "schema": SCHEMA if any(artifact.limits for artifact in self.artifacts) else 1,
            "name": self.name,
            "signature": self.signature.to_json(),
            **self.inputs.to_json(),
            "artifacts": [artifact.to_json() for artifact in self.artifacts],
            "goldens": self.goldens.to_json(),
            **({"adequacy": self.adequacy.to_json()} if self.adequacy else {}),
            "provenance": dict(self.provenance),
            **({"refused": dict(self.refused)} if self.refused else {}),
            **({"stateful": True} if self.stateful else {}),
            **({"contracts": [each.to_json() for each in self.contracts]} if self.contracts else {}),
            **({"not_carried": [each.to_json() for each in self.not_carried]} if self.not_carried else {}),
            **({"code": [each.to_json() for each in self.code]} if self.code else {}),
        }

    @classmethod
    def from_json(cls, data: JsonObject) -> Manifest:
        """The inverse of `to_json`.

        Raises:
            BundleError: an entry contradicts the signature, or names a path outside of the bundle.
            FieldError: an entry is missing or of the wrong type.
        """
        model = model_of(data)
        return cls(
            name=member(data, "name", text),
            model=model,
            artifacts=_each_once(
                member(data, "artifacts", list_of(lambda one: Artifact.from_json(mapping(one), model.signature)))
            ),
            goldens=member(data, "goldens", lambda one: GoldensEntry.from_json(mapping(one), model.signature)),
            inputs=require_domains(domains_of(data), model.signature),
            build=BuildEntry(member(data, "provenance", mapping), optional(data, "refused", text_map, {})),
            adequacy=member(data, "adequacy", object_of(AdequacyEntry.from_json)) if "adequacy" in data else None,
        )


def _each_once(artifacts: tuple[Artifact, ...]) -> tuple[Artifact, ...]:
    """The artifacts, if no two of them are one file; raises `BundleError` otherwise."""
    counts = Counter(PurePosixPath(artifact.path) for artifact in artifacts)
    twice = next((path for path, count in counts.items() if count > 1), None)
    if twice is not None:
        raise BundleError("the manifest lists an artifact twice", got=str(twice), hint="do not use this bundle")
    return artifacts


def bundles_in(folder: Path) -> list[str]:
    """The names of the bundles in a folder, as a build of several signatures leaves them."""
    try:
        return sorted(path.name for path in folder.iterdir() if (path / FILE_NAME).is_file())
    except OSError:
        return []


def write(folder: Path, manifest: Manifest) -> None:
    """Write `manifest.json` into the folder."""
    write_json(folder / FILE_NAME, manifest.to_json())


def read(folder: Path, most: int = MOST_JSON) -> Manifest:
    """Read a bundle's manifest.

    Args:
        folder: the bundle.
        most: the largest size in bytes.

    Raises:
        BundleError: it is missing, unreadable, of a newer schema, or names a path outside of the bundle.
    """
    path = folder / FILE_NAME
    hint = "a bundle is a folder that `kexport build` wrote"
    try:
        data = read_json(path, str(path), folder, most)
    except (FileNotFoundError, NotADirectoryError):
        reason = "no manifest.json in it" if folder.is_dir() else "a file" if folder.is_file() else "no such folder"
        if inner := bundles_in(folder):
            reason, hint = f"a folder of bundles: {', '.join(inner)}", f"name one of them, such as {folder / inner[0]}"
        raise BundleError(f"{folder} is not a bundle", got=reason, hint=hint) from None
    entries = require_schema(f"{FILE_NAME} of {folder}", data, SCHEMA)
    try:
        return Manifest.from_json(entries)
    except FieldError as error:
        raise BundleError(f"{path} is damaged", got=error, hint=hint) from None

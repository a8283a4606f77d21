"""`manifest.json`: what a bundle holds.

Schema rules. `schema` is an integer. A reader accepts every schema up to its own and refuses newer ones. Adding a
key that an old reader may ignore leaves the number as it is; removing or renaming a key, changing what one means,
or adding one that must not be ignored raises it by one, and this file then reads both. Paths are relative to the
bundle, with forward slashes, and never lead out of it. Nothing in a manifest tells when, where or by whom the
bundle was built.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from kexport.bundle.contract_entries import ContractEntry, NotCarried
from kexport.bundle.limits import OutputLimit
from kexport.bundle.samples import Stored
from kexport.bundle.signature import Signature
from kexport.errors import BundleError

SCHEMA = 1
FILE_NAME = "manifest.json"
_HINT = "copy the bundle again, or build it again"


@dataclass(frozen=True)
class Artifact:
    """One written file (or folder) that computes the model.

    Attributes:
        format: the name of the format, such as `"onnx"`.
        precision: of its weights and arithmetic, such as `"float32"`.
        path: relative to the bundle.
        sha256: of the file, or of the folder as `kexport.bundle.digests` defines it.
        bytes: its size.
        details: what else the format tells of it: opset, operators and their versions; `external`, the files beside
            it that hold its weights.
    """

    format: str
    precision: str
    path: str
    sha256: str
    bytes: int
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def files(self) -> list[tuple[str, str]]:
        """Path and SHA-256 of the artifact and of each file beside it that it needs."""
        external = self.details.get("external", ())
        return [(self.path, self.sha256), *((safe_path(str(f["path"])), str(f["sha256"])) for f in external)]

    def to_json(self) -> dict[str, Any]:
        """The artifact's entry in the manifest."""
        own = asdict(self)
        return {**{k: v for k, v in own.items() if k != "details"}, **own["details"]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Artifact:
        """The inverse of `to_json`."""
        own = ("format", "precision", "path", "sha256", "bytes")
        details = {key: value for key, value in data.items() if key not in own}
        return cls(
            str(data["format"]),
            str(data["precision"]),
            safe_path(str(data["path"])),
            str(data["sha256"]),
            int(data["bytes"]),
            details,
        )


@dataclass(frozen=True)
class Manifest:
    """All that `manifest.json` says.

    Attributes:
        name: of the bundle.
        signature: of the model.
        artifacts: every one that was written.
        goldens_path: of the goldens, relative to the bundle.
        goldens_sha256: of that file.
        cases: a label for each golden.
        limits: one an output.
        domains: of each input, as text.
        provenance: versions of what wrote the bundle.
        refused: of each format that was asked for and could not be written, why.
        ulp: one unit in the last place, relative to 1, of the coarsest arithmetic in the model.
        stateful: whether the model keeps state between calls.
        samples: the recorded data that is the domain of some inputs.
        undeclared: of each input whose domain nobody declared, where it comes from instead.
        contracts: what the model promises.
        not_carried: what layers promise and the model does not.
    """

    name: str
    signature: Signature
    artifacts: tuple[Artifact, ...]
    goldens_path: str
    goldens_sha256: str
    cases: tuple[str, ...]
    limits: tuple[OutputLimit, ...]
    domains: Mapping[str, str]
    provenance: Mapping[str, Any]
    refused: Mapping[str, str] = field(default_factory=dict)
    ulp: float = 2.0**-23
    stateful: bool = False
    samples: Stored | None = None
    undeclared: Mapping[str, str] = field(default_factory=dict)
    contracts: tuple[ContractEntry, ...] = ()
    not_carried: tuple[NotCarried, ...] = ()

    @property
    def notes(self) -> list[str]:
        """What every report on the bundle says of its domains."""
        return [
            f"input {name} was given no domain: {self.domains[name]} is {origin}"
            for name, origin in self.undeclared.items()
        ]

    def to_json(self) -> dict[str, Any]:
        """The content of the file."""
        return {
            "schema": SCHEMA,
            "name": self.name,
            "signature": self.signature.to_json(),
            "domains": dict(self.domains),
            **({"undeclared": dict(self.undeclared)} if self.undeclared else {}),
            **({"samples": self.samples.to_json()} if self.samples else {}),
            "artifacts": [artifact.to_json() for artifact in self.artifacts],
            "goldens": {
                "path": self.goldens_path,
                "sha256": self.goldens_sha256,
                "cases": list(self.cases),
                "limits": [limit.to_json() for limit in self.limits],
                "ulp": self.ulp,
            },
            "provenance": dict(self.provenance),
            **({"refused": dict(self.refused)} if self.refused else {}),
            **({"stateful": True} if self.stateful else {}),
            **({"contracts": [each.to_json() for each in self.contracts]} if self.contracts else {}),
            **({"not_carried": [each.to_json() for each in self.not_carried]} if self.not_carried else {}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Manifest:
        """The inverse of `to_json`."""
        goldens = data["goldens"]
        signature = Signature.from_json(data["signature"])
        return cls(
            name=str(data["name"]),
            signature=signature,
            artifacts=tuple(Artifact.from_json(entry) for entry in data["artifacts"]),
            goldens_path=safe_path(str(goldens["path"])),
            goldens_sha256=str(goldens["sha256"]),
            cases=tuple(map(str, goldens["cases"])),
            limits=_limits(goldens["limits"], signature),
            domains=dict(data["domains"]),
            provenance=dict(data["provenance"]),
            refused=dict(data.get("refused", {})),
            ulp=float(goldens.get("ulp", cls.ulp)),
            stateful=bool(data.get("stateful", False)),
            samples=_stored(data["samples"]) if "samples" in data else None,
            undeclared=dict(data.get("undeclared", {})),
            contracts=tuple(ContractEntry.from_json(entry, signature) for entry in data.get("contracts", ())),
            not_carried=tuple(NotCarried.from_json(entry) for entry in data.get("not_carried", ())),
        )


def _limits(entries: Sequence[Mapping[str, Any]], signature: Signature) -> tuple[OutputLimit, ...]:
    """One of each output, in the order of the outputs: what has none would never be compared.

    Raises:
        BundleError: one is missing or too many, is in another place, or is no number that bounds anything.
    """
    limits = tuple(OutputLimit.from_json(entry) for entry in entries)
    named, outputs = [limit.output for limit in limits], [spec.name for spec in signature.outputs]
    if named != outputs:
        raise BundleError(
            "the manifest has not one limit for each output, in their order",
            got=", ".join(map(str, named)) or "no limit",
            expected=", ".join(outputs),
            hint=_HINT,
        )
    for limit in limits:
        numbers = (limit.scale, limit.floor, limit.limit, *(() if limit.decibels is None else (limit.decibels,)))
        if not all(math.isfinite(number) for number in numbers) or limit.scale <= 0 or limit.limit < 0:
            raise BundleError(
                f"the manifest has a limit of output {limit.output!r} that bounds nothing",
                got=f"limit {limit.limit}, scale {limit.scale}, floor {limit.floor}",
                expected="finite numbers, the scale above 0",
                hint=_HINT,
            )
    return limits


def _stored(data: Mapping[str, Any]) -> Stored:
    safe_path(str(data["path"]))
    return Stored.from_json(data)


def write(folder: Path, manifest: Manifest) -> None:
    """Write `manifest.json` into the folder."""
    write_json(folder / FILE_NAME, manifest.to_json())


def write_json(path: Path, data: object) -> None:
    """Write JSON as all files of a bundle have it: two spaces, one final newline."""
    path.write_text(json.dumps(data, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def read(folder: Path) -> Manifest:
    """Read a bundle's manifest.

    Raises:
        BundleError: it is missing, unreadable, of a newer schema, or names a path outside of the bundle.
    """
    path = folder / FILE_NAME
    hint = "a bundle is a folder that `kexport build` wrote"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        reason = "no manifest.json in it" if folder.is_dir() else "no such folder"
        raise BundleError(f"{folder} is not a bundle", got=reason, hint=hint) from None
    except (OSError, ValueError) as error:
        raise BundleError(f"{path} cannot be read", got=error, hint=hint) from None
    schema = data.get("schema") if isinstance(data, dict) else None
    if isinstance(schema, bool) or not isinstance(schema, int) or schema < 1:
        raise BundleError(f"{path} has no schema", got=repr(schema), expected="a whole number of at least 1")
    if schema > SCHEMA:
        raise BundleError(
            f"{path} has a newer schema than this kexport reads",
            got=schema,
            expected=f"at most {SCHEMA}",
            hint="pip install --upgrade kexport",
        )
    try:
        return Manifest.from_json(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleError(f"{path} is damaged", got=f"{type(error).__name__}: {error}", hint=hint) from None


def safe_path(text: str) -> str:
    """The path itself, when it stays inside the bundle.

    Raises:
        BundleError: it is absolute, empty, or leads out of the folder.
    """
    path = PurePosixPath(text)
    if not text or path.is_absolute() or ".." in path.parts or "\\" in text or ":" in text:
        raise BundleError(
            "the manifest names a path outside of its bundle",
            got=text,
            expected="a relative path below the bundle",
            hint="do not use this bundle",
        )
    return text

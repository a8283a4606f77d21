"""The entries of a manifest: artifacts, goldens, domains, and how the bundle was built."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath
from typing import Any

from kexport.bundle.code_entry import CodeEntry
from kexport.bundle.contract_entries import ContractEntry, NotCarried
from kexport.bundle.domain import parse, plain
from kexport.bundle.json_files import JsonObject, mapping, number, objects, text_map, texts
from kexport.bundle.limits import OutputLimit
from kexport.bundle.samples import SamplesEntry
from kexport.bundle.signature import Signature
from kexport.errors import BundleError


@dataclass(frozen=True)
class Artifact:
    """One written file or folder that computes the model.

    Attributes:
        format: the name of the format, such as `"onnx"`.
        precision: the precision of its weights and arithmetic, such as `"float32"`.
        path: relative to the bundle.
        sha256: the digest of the file, or of the folder as `kexport.bundle.digests` defines it.
        bytes: its size.
        details: what else the format records: opset, operators and their versions; `external`, the files beside it
            that hold its weights.
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

    def to_json(self) -> dict[str, object]:
        """The artifact's entry in the manifest."""
        entry = asdict(self)
        details = entry.pop("details")
        return {**entry, **details}

    @classmethod
    def from_json(cls, data: JsonObject) -> Artifact:
        """The inverse of `to_json`."""
        details = {key: value for key, value in data.items() if key not in _ARTIFACT_KEYS}
        return cls(
            str(data["format"]),
            str(data["precision"]),
            safe_path(str(data["path"])),
            str(data["sha256"]),
            int(number(data["bytes"])),
            details,
        )


_ARTIFACT_KEYS = ("format", "precision", "path", "sha256", "bytes")


@dataclass(frozen=True)
class GoldensEntry:
    """The golden cases of a bundle and how far an artifact may be from them.

    Attributes:
        path: the path of the file, relative to the bundle.
        sha256: the digest of the file.
        cases: one label per golden.
        limits: one per output.
        ulp: one unit in the last place, relative to 1, of the coarsest arithmetic in the model.
    """

    path: str
    sha256: str
    cases: tuple[str, ...]
    limits: tuple[OutputLimit, ...]
    ulp: float = 2.0**-23

    def to_json(self) -> dict[str, object]:
        """The entry in the manifest."""
        return {
            "path": self.path,
            "sha256": self.sha256,
            "cases": list(self.cases),
            "limits": [limit.to_json() for limit in self.limits],
            "ulp": self.ulp,
        }

    @classmethod
    def from_json(cls, data: JsonObject, signature: Signature) -> GoldensEntry:
        """The inverse of `to_json`.

        Raises:
            BundleError: the path leads out of the bundle, or a limit is missing or unusable.
        """
        limits = _limits(objects(data["limits"]), signature)
        ulp = float(number(data.get("ulp", cls.ulp)))
        return cls(safe_path(str(data["path"])), str(data["sha256"]), texts(data["cases"]), limits, ulp)


@dataclass(frozen=True)
class DomainsEntry:
    """The domains of the inputs.

    Attributes:
        texts: the domain of each input, as text.
        undeclared: for each input without a declared domain, where its domain comes from.
        samples: the file with recorded data, if the domain of an input is recorded data.
    """

    texts: Mapping[str, str]
    undeclared: Mapping[str, str] = field(default_factory=dict)
    samples: SamplesEntry | None = None

    def to_json(self) -> dict[str, object]:
        """The entries in the manifest: `domains` in kinds that every reader knows, `finer_domains` where there are."""
        coarse = {name: _coarse(text) for name, text in self.texts.items()}
        finer = {name: text for name, text in self.texts.items() if coarse[name] != text}
        return {
            "domains": coarse,
            **({"finer_domains": finer} if finer else {}),
            **({"undeclared": dict(self.undeclared)} if self.undeclared else {}),
            **({"samples": self.samples.to_json()} if self.samples else {}),
        }


def _coarse(text: str) -> str:
    return str(plain(parse(text))) if text.startswith(("bins(", "features(")) else text


@dataclass(frozen=True)
class ModelEntry:
    """What the manifest records about the model.

    Attributes:
        signature: its inputs and outputs.
        stateful: whether it keeps state between calls.
        contracts: what it promises.
        not_carried: promises of its layers that do not carry over to the model.
        code: the user's code that its `.keras` file and its contracts need.
    """

    signature: Signature
    stateful: bool = False
    contracts: tuple[ContractEntry, ...] = ()
    not_carried: tuple[NotCarried, ...] = ()
    code: tuple[CodeEntry, ...] = ()


@dataclass(frozen=True)
class BuildEntry:
    """How the bundle was built.

    Attributes:
        provenance: versions of the packages that wrote the bundle.
        refused: for each requested format that could not be written, the reason.
    """

    provenance: Mapping[str, Any]
    refused: Mapping[str, str] = field(default_factory=dict)


def domains_of(data: JsonObject) -> DomainsEntry:
    """The domains that a manifest states.

    Raises:
        BundleError: the path of the recorded data leads out of the bundle, or its entry has a newer schema.
    """
    samples = None
    if "samples" in data:
        samples = SamplesEntry.from_json(mapping(data["samples"]))
        safe_path(samples.path)
    texts = {**text_map(data["domains"]), **text_map(data.get("finer_domains", {}))}
    return DomainsEntry(texts, text_map(data.get("undeclared", {})), samples)


def model_of(data: JsonObject) -> ModelEntry:
    """What a manifest states about the model."""
    signature = Signature.from_json(mapping(data["signature"]))
    contracts = tuple(ContractEntry.from_json(entry, signature) for entry in objects(data.get("contracts", [])))
    not_carried = tuple(NotCarried.from_json(entry) for entry in objects(data.get("not_carried", [])))
    code = tuple(CodeEntry.from_json(entry) for entry in objects(data.get("code", [])))
    return ModelEntry(signature, bool(data.get("stateful", False)), contracts, not_carried, code)


def _limits(entries: Sequence[JsonObject], signature: Signature) -> tuple[OutputLimit, ...]:
    """The limits in the order of the outputs: an output without one would never be compared.

    Raises:
        BundleError: a limit is missing, out of order or too many, or is not a number that bounds anything.
    """
    limits = tuple(OutputLimit.from_json(entry) for entry in entries)
    named, outputs = [limit.output for limit in limits], [spec.name for spec in signature.outputs]
    if named != outputs:
        raise BundleError(
            "the manifest does not have one limit for each output, in their order",
            got=", ".join(map(str, named)) or "no limit",
            expected=", ".join(outputs),
            hint=_HINT,
        )
    for limit in limits:
        numbers = (limit.scale, limit.floor, limit.limit, *(() if limit.decibels is None else (limit.decibels,)))
        if not all(math.isfinite(each) for each in numbers) or limit.scale <= 0 or limit.limit < 0:
            raise BundleError(
                f"the manifest has an invalid limit for output {limit.output!r}",
                got=f"limit {limit.limit}, scale {limit.scale}, floor {limit.floor}",
                expected="finite numbers, the scale above 0",
                hint=_HINT,
            )
    return limits


_HINT = "copy the bundle again, or build it again"


def safe_path(text: str) -> str:
    """The path itself, if it stays inside the bundle.

    Raises:
        BundleError: it is absolute, empty, or leads out of the folder.
    """
    path = PurePosixPath(text)
    if not text or path.is_absolute() or ".." in path.parts or "\\" in text or ":" in text:
        raise BundleError(
            "the manifest names a path outside its bundle",
            got=text,
            expected="a relative path below the bundle",
            hint="do not use this bundle",
        )
    return text

"""The entries of a manifest: goldens, domains, model, and how the bundle was built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kexport.bundle.code_entry import CodeEntry
from kexport.bundle.contract_entries import ContractEntry, NotCarried
from kexport.bundle.domain import parse, plain
from kexport.bundle.entry_parts import limits_of, path_of, safe_path
from kexport.bundle.json_files import (
    FieldError,
    flag,
    list_of,
    mapping,
    member,
    number,
    object_of,
    optional,
    text_map,
    texts,
)
from kexport.bundle.json_files import text as text_of
from kexport.bundle.json_text import Json, JsonObject
from kexport.bundle.limits import OutputLimit
from kexport.bundle.samples import SamplesEntry
from kexport.bundle.signature import Signature


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
            FieldError: an entry is missing or of the wrong type.
        """
        limits = limits_of(data, signature)
        ulp = optional(data, "ulp", _ulp, cls.ulp)
        cases = member(data, "cases", texts)
        return cls(member(data, "path", path_of), member(data, "sha256", text_of), cases, limits, ulp)


def _ulp(value: Json) -> float:
    ulp = float(number(value))
    if not 0 < ulp < 1:
        raise FieldError((), f"is {ulp}, and not between 0 and 1")
    return ulp


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
        FieldError: an entry is missing or of the wrong type.
    """
    samples = None
    if "samples" in data:
        samples = member(data, "samples", object_of(SamplesEntry.from_json))
        safe_path(samples.path)
    texts = {**member(data, "domains", text_map), **optional(data, "finer_domains", text_map, {})}
    return DomainsEntry(texts, optional(data, "undeclared", text_map, {}), samples)


def require_domains(inputs: DomainsEntry, signature: Signature) -> DomainsEntry:
    """The domains themselves; raises `FieldError` unless every input has one."""
    for name in (*(spec.name for spec in signature.inputs), *inputs.undeclared):
        if name not in inputs.texts:
            raise FieldError(("domains", name), "is missing")
    return inputs


def model_of(data: JsonObject) -> ModelEntry:
    """What a manifest states about the model.

    Raises:
        BundleError: a contract is about an input or output that the model does not have.
        FieldError: an entry is missing or of the wrong type.
    """
    signature = member(data, "signature", object_of(Signature.from_json))
    stated = optional(data, "contracts", list_of(lambda one: ContractEntry.from_json(mapping(one), signature)), ())
    contracts = tuple({repr(each): each for each in stated}.values())  # what is stated a thousand times is hunted once
    not_carried = optional(data, "not_carried", list_of(object_of(NotCarried.from_json)), ())
    code = optional(data, "code", list_of(object_of(CodeEntry.from_json)), ())
    return ModelEntry(signature, optional(data, "stateful", flag, False), contracts, not_carried, code)

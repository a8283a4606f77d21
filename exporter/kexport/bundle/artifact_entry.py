"""The entry of an artifact in a manifest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kexport.bundle.budget_entry import BUDGETS, BudgetEntry, budgets_of
from kexport.bundle.entry_parts import limits_of, path_of
from kexport.bundle.json_files import FieldError, list_of, member, object_of, optional, text, whole
from kexport.bundle.json_text import Json, JsonObject
from kexport.bundle.kernels_entry import KERNELS, STEPS, KernelsEntry, kernels_of
from kexport.bundle.limits import OutputLimit
from kexport.bundle.precision import FLOAT_OPERATORS, FLOAT_WEIGHTS, MAY_ABORT, PRECISIONS
from kexport.bundle.quantization import AffineQuantization, from_json
from kexport.bundle.signature import Signature


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
            that hold its weights; `quantization`, how the integers that it takes and returns stand for real numbers;
            `steps`, the same of what it computes before it makes floats of it; `kernels`, the integers of each runtime.
        limits: how far its own outputs may be from the truth, one for each; none where those of the model hold.
        budgets: those that it was built with, and what came of them; none where none was stated.
    """

    format: str
    precision: str
    path: str
    sha256: str
    bytes: int
    details: Mapping[str, Any] = field(default_factory=dict)
    limits: tuple[OutputLimit, ...] = ()
    budgets: tuple[BudgetEntry, ...] = ()

    @property
    def files(self) -> list[tuple[str, str]]:
        """Path and SHA-256 of the artifact and of each file beside it that it needs."""
        external = self.details.get("external", ())
        return [(self.path, self.sha256), *((file["path"], file["sha256"]) for file in external)]

    @property
    def quantization(self) -> dict[str, AffineQuantization]:
        """How the integers that it takes and returns stand for real numbers, by input and output."""
        return optional(self.details, "quantization", from_json, {})

    @property
    def steps(self) -> dict[str, AffineQuantization]:
        """How the integers stand for real numbers from which its outputs are made, by output."""
        return optional(self.details, STEPS, from_json, {})

    @property
    def kernels(self) -> KernelsEntry | None:
        """The integers that each class of kernels gave at the build; None where none were recorded."""
        return optional(self.details, KERNELS, kernels_of, None)

    @property
    def float_operators(self) -> tuple[tuple[str, str], ...] | None:
        """The operators that compute in float in an artifact of integers, and their layers; None for other ones."""
        return optional(self.details, FLOAT_OPERATORS, _operators, None)

    @property
    def float_weights(self) -> tuple[tuple[str, str, int], ...] | None:
        """The operators whose weights stayed in float in one of 8-bit weights, their layers, and how many numbers."""
        return optional(self.details, FLOAT_WEIGHTS, _counted, None)

    @property
    def may_abort(self) -> tuple[tuple[str, str, int], ...]:
        """The operators at which LiteRT's reference kernels may end the process, their layers, and how many numbers."""
        return optional(self.details, MAY_ABORT, _counted, ())

    def to_json(self) -> dict[str, object]:
        """The artifact's entry in the manifest."""
        limits = {"limits": [limit.to_json() for limit in self.limits]} if self.limits else {}
        budgets = {BUDGETS: [each.to_json() for each in self.budgets]} if self.budgets else {}
        return {**{key: getattr(self, key) for key in _KEYS}, **limits, **budgets, **self.details}

    @classmethod
    def from_json(cls, data: JsonObject, signature: Signature) -> Artifact:
        """The inverse of `to_json`.

        Raises:
            BundleError: a path leads out of the bundle, or a limit is missing or unusable.
            FieldError: an entry is missing or of the wrong type.
        """
        details = {key: value for key, value in data.items() if key not in (*_KEYS, "limits", BUDGETS)}
        optional(data, "external", list_of(object_of(_external_file)), ())
        for key in ("quantization", STEPS):
            optional(data, key, from_json, {})
        optional(data, KERNELS, kernels_of, None)
        optional(data, FLOAT_OPERATORS, _operators, None)
        for key in (FLOAT_WEIGHTS, MAY_ABORT):
            optional(data, key, _counted, None)
        optional(data, "pinned", object_of(lambda pinned: member(pinned, "batch", whole)), 0)
        entry = cls(
            member(data, "format", text),
            member(data, "precision", _precision),
            member(data, "path", path_of),
            member(data, "sha256", text),
            member(data, "bytes", whole),
            details,
            limits_of(data, signature) if "limits" in data else (),
        )
        return replace(entry, budgets=optional(data, BUDGETS, budgets_of, ()))


def _precision(value: Json) -> str:
    if value not in PRECISIONS and not (isinstance(value, str) and _OWN.fullmatch(value)):
        raise FieldError((), f"is not one of {', '.join(PRECISIONS)} but {str(value)[:40]!r}")
    return text(value)


#: The dtype of the model's outputs, where it is not float32.
_OWN = re.compile(r"b?float\d+(_\w+)?|complex\d+")
_KEYS = ("format", "precision", "path", "sha256", "bytes")


def _operator(data: JsonObject) -> tuple[str, str]:
    """An operator, and the layer that it comes from."""
    return member(data, "op", text), member(data, "layer", text)


_operators = list_of(object_of(_operator))
_counted = list_of(object_of(lambda data: (*_operator(data), member(data, "numbers", whole))))


def _external_file(data: JsonObject) -> tuple[str, str]:
    """Path and digest of a file beside an artifact."""
    return member(data, "path", path_of), member(data, "sha256", text)

"""The contracts of a bundle's model, as the manifest holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from kexport.bundle.json_files import mapping, member, optional, text, texts
from kexport.bundle.json_text import JsonObject
from kexport.bundle.signature import Signature
from kexport.errors import BundleError


@dataclass(frozen=True)
class ContractEntry:
    """One contract of the model.

    Attributes:
        kind: the kind of contract, such as `"bounded"`.
        params: the parameters of the contract, as JSON represents them.
        inputs: names of the model's inputs that it is about.
        outputs: names of the model's outputs that it is about; empty for a contract about weights.
        layer: the layer that states it; empty when a person stated it at build time.
    """

    kind: str
    params: Mapping[str, object]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    layer: str = ""

    def to_json(self) -> dict[str, object]:
        """The contract's entry in the manifest."""
        return {**asdict(self), "params": dict(self.params), "inputs": list(self.inputs), "outputs": list(self.outputs)}

    @classmethod
    def from_json(cls, data: JsonObject, signature: Signature) -> ContractEntry:
        """The inverse of `to_json`.

        Raises:
            BundleError: it is about an input or output that the model does not have.
            FieldError: an entry is missing or of the wrong type.
        """
        entry = cls(
            member(data, "kind", text),
            dict(member(data, "params", mapping)),
            member(data, "inputs", texts),
            member(data, "outputs", texts),
            optional(data, "layer", text, ""),
        )
        sides = (
            ("inputs", entry.inputs, {spec.name for spec in signature.inputs}),
            ("outputs", entry.outputs, {spec.name for spec in signature.outputs}),
        )
        for side, names, existing in sides:
            if unknown := set(names) - existing:
                raise BundleError(
                    f"contract {entry.kind!r} names {side} that the model does not have",
                    got=", ".join(sorted(unknown)),
                    expected=", ".join(sorted(existing)),
                )
        return entry


@dataclass(frozen=True)
class NotCarried:
    """A contract of a layer that is not known to hold for the model.

    Attributes:
        kind: the kind of contract.
        params: the parameters of the contract, as JSON represents them.
        layer: the layer that states it.
        ended_by: the layer at which it ends.
        why: it ends there.
    """

    kind: str
    params: Mapping[str, object]
    layer: str
    ended_by: str
    why: str

    def to_json(self) -> dict[str, object]:
        """Its entry in the manifest."""
        return {**asdict(self), "params": dict(self.params)}

    @classmethod
    def from_json(cls, data: JsonObject) -> NotCarried:
        """The inverse of `to_json`; keys of a later writer are ignored."""
        layer, ended_by, why = (member(data, key, text) for key in ("layer", "ended_by", "why"))
        return cls(member(data, "kind", text), dict(member(data, "params", mapping)), layer, ended_by, why)

"""What a bundle promises: the contracts of its model, as the manifest holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from kexport.bundle.signature import Signature
from kexport.errors import BundleError


@dataclass(frozen=True)
class ContractEntry:
    """One contract of the model.

    Attributes:
        kind: of contract, such as `"bounded"`.
        params: of the contract, as JSON has them.
        inputs: names of the model's inputs that it speaks of.
        outputs: names of the model's outputs that it speaks of.
        layer: that promised it; empty when a person did at the build.
    """

    kind: str
    params: Mapping[str, Any]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    layer: str = ""

    def to_json(self) -> dict[str, Any]:
        """The contract's entry in the manifest."""
        return {**asdict(self), "params": dict(self.params), "inputs": list(self.inputs), "outputs": list(self.outputs)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], signature: Signature) -> ContractEntry:
        """The inverse of `to_json`.

        Raises:
            BundleError: it speaks of an input or output that the model does not have.
        """
        found = cls(
            str(data["kind"]),
            dict(data["params"]),
            tuple(map(str, data["inputs"])),
            tuple(map(str, data["outputs"])),
            str(data.get("layer", "")),
        )
        known = {
            "inputs": {spec.name for spec in signature.inputs},
            "outputs": {spec.name for spec in signature.outputs},
        }
        for side, names in known.items():
            strange = set(getattr(found, side)) - names
            if strange:
                raise BundleError(
                    f"contract {found.kind!r} speaks of {side} that the model does not have",
                    got=", ".join(sorted(strange)),
                    expected=", ".join(sorted(names)),
                )
        return found


@dataclass(frozen=True)
class NotCarried:
    """A promise of a layer that does not hold for the model, or of which nobody knows whether it does.

    Attributes:
        kind: of contract.
        params: of the contract, as JSON has them.
        layer: that promised it.
        ended_by: the layer at which it ends.
        why: it ends there.
    """

    kind: str
    params: Mapping[str, Any]
    layer: str
    ended_by: str
    why: str

    def to_json(self) -> dict[str, Any]:
        """Its entry in the manifest."""
        return {**asdict(self), "params": dict(self.params)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> NotCarried:
        """The inverse of `to_json`; keys of a later writer are ignored."""
        return cls(**{each.name: data[each.name] for each in fields(cls)})

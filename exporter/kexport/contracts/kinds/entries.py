"""Contracts as a manifest holds them."""

from __future__ import annotations

from collections.abc import Sequence

from kexport.bundle.contract_entries import ContractEntry
from kexport.contracts.kinds.catalogue import make, params_of
from kexport.contracts.protocol import Contract, WeightContract


def contract_of(entry: ContractEntry) -> Contract | WeightContract:
    """The contract that an entry describes.

    Raises:
        UsageError: its kind is unknown here, or does not take the parameters.
    """
    return make(entry.kind, entry.params)


def entry_of(
    contract: Contract | WeightContract, inputs: Sequence[str], outputs: Sequence[str], layer: str = ""
) -> ContractEntry:
    """The entry of a contract about these inputs and outputs of the model, stated by a layer or by a person."""
    return ContractEntry(contract.kind, params_of(contract), tuple(inputs), tuple(outputs), layer)

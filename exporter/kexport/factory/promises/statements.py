"""Contracts that a person states at build time, and the output, input or layer that each is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from kexport.bundle.contract_entries import ContractEntry
from kexport.bundle.signature import Signature
from kexport.contracts import Contract, WeightContract, kinds
from kexport.errors import UsageError, require_known
from kexport.factory.promises.rules import OUTPUT_KINDS

_HINT = "'bounded(0, 1)', 'OUTPUT=bounded(0, 1)', 'INPUT->OUTPUT=monotonic(1)' or 'LAYER=sparse(0.5)'"


@dataclass(frozen=True)
class Statement:
    """A contract that a person states at build time.

    Attributes:
        contract: the contract.
        about: the output, `INPUT->OUTPUT`, or for a contract about weights the layer; empty for the only output.
    """

    contract: Contract | WeightContract
    about: str = ""

    @classmethod
    def parse(cls, text: str) -> Statement:
        """The statement in a text such as `bounded(0, 1)` or `y=bounded(0, 1)`.

        Raises:
            UsageError: the text cannot be parsed, or its kind is unknown.
        """
        about, equals, rest = text.partition("=")
        if not equals or "(" in about:
            about, rest = "", text
        return cls(kinds.parse(rest), about.strip())


def statements(contracts: object) -> list[Statement]:
    """The statements in `build(contracts=...)`: contracts or texts in a sequence, or keyed by what they are about.

    Raises:
        UsageError: one cannot be parsed, or is not a contract.
    """
    if isinstance(contracts, Mapping):
        return [Statement(one.contract, about) for about, each in contracts.items() for one in statements(each)]
    return [_statement(each) for each in (contracts if isinstance(contracts, list | tuple) else [contracts])]


def _statement(value: object) -> Statement:
    if isinstance(value, str):
        return Statement.parse(value)
    if not _is_contract(value):
        raise UsageError("one of the contracts that were passed is not a contract", got=repr(value), expected=_HINT)
    return Statement(value)


def _is_contract(value: object) -> TypeGuard[Contract | WeightContract]:
    return hasattr(value, "kind") and hasattr(value, "words")


def entry_for(statement: Statement, signature: Signature) -> ContractEntry:
    """The manifest's entry for a contract about the function.

    Raises:
        UsageError: it names no input or output of the model, or does not say which of several.
    """
    inputs, outputs = [s.name for s in signature.inputs], [s.name for s in signature.outputs]
    source, arrow, target = statement.about.rpartition("->")
    source, target = source.strip(), target.strip()
    output = _known(target, outputs, "output", statement) if target else _only(outputs, "output", statement)
    if statement.contract.kind in OUTPUT_KINDS:
        return kinds.entry_of(statement.contract, (), [output])
    if arrow and source:
        return kinds.entry_of(statement.contract, [_known(source, inputs, "input", statement)], [output])
    return kinds.entry_of(statement.contract, inputs, [output])


def _known(name: str, names: Sequence[str], side: str, statement: Statement) -> str:
    about = f"contract {kinds.text(statement.contract)} is about an {side} that the model does not have"
    require_known(name, names, about, name)
    return name


def _only(names: Sequence[str], side: str, statement: Statement) -> str:
    if len(names) != 1:
        raise UsageError(
            f"contract {kinds.text(statement.contract)} does not say which {side} it is about",
            got=f"{len(names)} {side}s: {', '.join(names)}",
            expected=_HINT,
        )
    return names[0]

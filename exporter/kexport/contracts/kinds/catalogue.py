"""The kinds of contract: those of kexport's folder, those of entry points, and those that a user's code registers."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from typing import ClassVar, Protocol, TypeVar

from kexport import registry
from kexport.contracts.protocol import Contract, WeightContract
from kexport.errors import UsageError, unknown

FOLDER, GROUP = "contracts", "kexport.contracts"
_registered: dict[str, type] = {}


class _Kind(Protocol):
    kind: ClassVar[str]


_Class = TypeVar("_Class", bound=type[_Kind])


@dataclasses.dataclass(frozen=True)
class About:
    """A layer's contract about a single argument of its `call`.

    Attributes:
        contract: the contract.
        argument: the name of the argument.
    """

    contract: Contract
    argument: str


def register(kind: _Class) -> _Class:
    """Class decorator: makes a user's kind of contract known under its `kind`."""
    _registered[kind.kind] = kind
    return kind


def names() -> list[str]:
    """Every known kind, in alphabetical order."""
    return sorted({*registry.names(FOLDER), *registry.offers(GROUP), *_registered})


def get(kind: str) -> type:
    """The class of a kind.

    Raises:
        UsageError: no kind of that name is known.
    """
    if kind in _registered:
        return _registered[kind]
    if kind in registry.names(FOLDER):
        return registry.get(FOLDER, kind, type, "CONTRACT")
    if kind in registry.offers(GROUP):
        return registry.offers(GROUP)[kind].load(type)
    raise unknown("contract", kind, names())


def summary(kind: str) -> str:
    """What contracts of a kind state, in one line."""
    module = sys.modules[get(kind).__module__]
    text = module.__doc__ or get(kind).__doc__ or ""
    return text.strip().partition("\n")[0]


def parameters(kind: str) -> list[str]:
    """The parameters of a kind, with their defaults."""
    return [
        each.name if each.default is dataclasses.MISSING else f"{each.name}={each.default!r}"
        for each in dataclasses.fields(get(kind))
    ]


def params_of(contract: Contract | WeightContract) -> dict[str, object]:
    """The fields of a contract as JSON represents them, without those at their default."""
    assert dataclasses.is_dataclass(contract)
    params: dict[str, object] = {}
    for each in dataclasses.fields(contract):
        value = getattr(contract, each.name)
        if each.default is dataclasses.MISSING or value != each.default:
            params[each.name] = _as_lists(value)
    return params


def _as_lists(value: object) -> object:
    return [_as_lists(each) for each in value] if isinstance(value, tuple | list) else value


def make(kind: str, params: Mapping[str, object]) -> Contract | WeightContract:
    """The contract of a kind with these parameters.

    Raises:
        UsageError: the kind is unknown, or does not take the parameters.
    """
    cls = get(kind)
    try:
        contract: Contract | WeightContract = cls(**params)
    except TypeError:
        expected = ", ".join(each.name for each in dataclasses.fields(cls)) or "no parameter"
        raise UsageError(
            f"contract {kind!r} does not take these parameters", got=dict(params), expected=expected
        ) from None
    return contract

"""The kinds of contract: those of this folder, those of entry points, and those that a user's code registers."""

from __future__ import annotations

import ast
import dataclasses
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from kexport import registry
from kexport.bundle.contract_entries import Promised
from kexport.contracts._contract import Contract, WeightContract
from kexport.errors import UsageError, unknown

FOLDER, GROUP = "contracts", "kexport.contracts"
_HINT = "for example 'bounded(0, 1)' or 'lipschitz(constant=2, norm=2)'"
Class = TypeVar("Class", bound=type)
_registered: dict[str, type] = {}


@dataclasses.dataclass(frozen=True)
class About:
    """A contract of a layer that speaks of one argument of its `call` only.

    Attributes:
        contract: what is promised.
        argument: the name of the argument.
    """

    contract: Contract
    argument: str


def register(kind: Class) -> Class:
    """Class decorator: makes a user's kind of contract known under its `kind`."""
    _registered[kind.kind] = kind  # type: ignore[attr-defined]
    return kind


def names() -> list[str]:
    """Every kind that is known here, in alphabetical order."""
    return sorted({*registry.names(FOLDER), *registry.offers(GROUP), *_registered})


def get(kind: str) -> type:
    """The class of a kind.

    Raises:
        UsageError: nothing of that name is known here.
    """
    if kind in _registered:
        return _registered[kind]
    if kind in registry.names(FOLDER):
        found: type = registry.get(FOLDER, kind, "CONTRACT")
        return found
    if kind in registry.offers(GROUP):
        offered: type = registry.offers(GROUP)[kind].load()
        return offered
    raise unknown("contract", kind, names())


def summary(kind: str) -> str:
    """What contracts of a kind say, in one line."""
    module = sys.modules[get(kind).__module__]
    text = module.__doc__ or get(kind).__doc__ or ""
    return text.strip().partition("\n")[0]


def parameters(kind: str) -> list[str]:
    """The parameters of a kind, with their defaults."""
    return [
        each.name if each.default is dataclasses.MISSING else f"{each.name}={each.default!r}"
        for each in dataclasses.fields(get(kind))
    ]


def params_of(contract: Contract | WeightContract) -> dict[str, Any]:
    """The fields of a contract as JSON has them; those at their default are left out."""
    assert dataclasses.is_dataclass(contract)
    found = {}
    for each in dataclasses.fields(contract):
        value = getattr(contract, each.name)
        if each.default is dataclasses.MISSING or value != each.default:
            found[each.name] = _as_lists(value)
    return found


def _as_lists(value: Any) -> Any:
    return [_as_lists(each) for each in value] if isinstance(value, tuple | list) else value


def make(kind: str, params: Mapping[str, Any]) -> Contract | WeightContract:
    """The contract of a kind with these parameters.

    Raises:
        UsageError: the kind is not known, or does not take them.
    """
    cls = get(kind)
    try:
        made: Contract | WeightContract = cls(**params)
    except TypeError:
        expected = ", ".join(each.name for each in dataclasses.fields(cls)) or "no parameter"
        raise UsageError(
            f"contract {kind!r} does not take these parameters", got=dict(params), expected=expected
        ) from None
    return made


def of(promised: Promised) -> Contract | WeightContract:
    """The contract that a manifest speaks of.

    Raises:
        UsageError: its kind is not known here, or does not take the parameters.
    """
    return make(promised.kind, promised.params)


def promised(
    contract: Contract | WeightContract, inputs: Sequence[str], outputs: Sequence[str], layer: str = ""
) -> Promised:
    """The entry of a contract in a manifest."""
    return Promised(contract.kind, params_of(contract), tuple(inputs), tuple(outputs), layer)


def text(contract: Contract | WeightContract) -> str:
    """As `parse` reads it: `bounded(low=0, high=1)`."""
    return f"{contract.kind}(" + ", ".join(f"{name}={value!r}" for name, value in params_of(contract).items()) + ")"


def parse(text: str) -> Contract | WeightContract:
    """The contract that a text such as `bounded(0, 1)` describes.

    Raises:
        UsageError: it cannot be read, its kind is not known, or its parameters do not fit.
    """
    match = re.fullmatch(r"\s*(\w+)\s*(\(.*\))?\s*", text, re.DOTALL)
    if match is None:
        raise UsageError(f"unreadable contract {text!r}", expected=_HINT)
    kind, rest = match[1], match[2] or "()"
    cls = get(kind)
    try:
        call = ast.parse(kind + rest, mode="eval").body
        if not isinstance(call, ast.Call) or any(each.arg is None for each in call.keywords):
            raise ValueError
        fields = [each.name for each in dataclasses.fields(cls)]
        given = [ast.literal_eval(each) for each in call.args]
        named = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}
        positional = dict(zip(fields, given, strict=False))
        if len(given) > len(fields) or positional.keys() & named.keys():
            raise ValueError
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        raise UsageError(f"unreadable contract {text!r}", expected=_HINT) from None
    return make(kind, {**positional, **named})

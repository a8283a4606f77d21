"""Contracts as text, written as Python writes calls: `bounded(low=0, high=1)`."""

from __future__ import annotations

import ast
import dataclasses
import re

from kexport.contracts.kinds.catalogue import get, make, params_of
from kexport.contracts.protocol import Contract, WeightContract
from kexport.errors import UsageError

_HINT = "for example 'bounded(0, 1)' or 'lipschitz(constant=2, norm=2)'"


def text(contract: Contract | WeightContract) -> str:
    """The contract as `parse` reads it: `bounded(low=0, high=1)`."""
    return f"{contract.kind}(" + ", ".join(f"{name}={value!r}" for name, value in params_of(contract).items()) + ")"


def parse(text: str) -> Contract | WeightContract:
    """The contract that a text such as `bounded(0, 1)` describes.

    Raises:
        UsageError: the text cannot be parsed, its kind is unknown, or its parameters do not fit.
    """
    match = re.fullmatch(r"\s*(\w+)\s*(\(.*\))?\s*", text, re.DOTALL)
    if match is None:
        raise UsageError(f"unreadable contract {text!r}", expected=_HINT)
    kind, rest = match[1], match[2] or "()"
    cls = get(kind)
    try:
        call = ast.parse(kind + rest, mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            raise ValueError  # such as bounded(0, 1)(2)
        if any(each.arg is None for each in call.keywords):
            raise ValueError
        fields = [each.name for each in dataclasses.fields(cls)]
        args = [ast.literal_eval(each) for each in call.args]
        keywords = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}
        positional = dict(zip(fields, args, strict=False))
        if len(args) > len(fields) or positional.keys() & keywords.keys():
            raise ValueError
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        raise UsageError(f"unreadable contract {text!r}", expected=_HINT) from None
    return make(kind, {**positional, **keywords})

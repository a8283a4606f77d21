"""Promises that are broken, and promises that are kept: what `scripts/benchmark_contracts.py` counts."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from contract_cases import breaks
from contract_cases._broken import Broken
from kexport import registry

_SEVERAL = ("compositions", "plain")


def files(package: Any) -> list[str]:
    """The files of cases in a package; what no kind of contract and no layer is named like, is of several of them."""
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return [name for name in names if name in _SEVERAL or any(name in found for found in (_layers(), _kinds()))]


def _kinds() -> set[str]:
    return set(registry.names("contracts"))


def _layers() -> set[str]:
    return {offer.module.rpartition(".")[2] for offer in registry.offers("kexport.layers").values()}


def every() -> list[Broken]:
    """All planted breaks, kind by kind."""
    names = files(breaks)
    found = [case for name in names for case in importlib.import_module(f"{breaks.__name__}.{name}").CASES.broken]
    known = [case.name for case in found]
    assert len(set(known)) == len(known), [name for name in known if known.count(name) > 1]
    return found


def get(name: str) -> Broken:
    """The break of that name."""
    kind = name.partition("/")[0]
    cases: list[Broken] = importlib.import_module(f"{breaks.__name__}.{kind}").CASES.broken
    return next(case for case in cases if case.name == name)

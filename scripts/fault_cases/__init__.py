"""Healthy models, and faults planted in their artifacts: what `scripts/benchmark_faults.py` counts."""

from __future__ import annotations

import importlib
import pkgutil

from fault_cases import families
from fault_cases._family import Family


def every() -> list[Family]:
    """All families, in the order of their names."""
    names = sorted(module.name for module in pkgutil.iter_modules(families.__path__))
    found = [importlib.import_module(f"{families.__name__}.{name}").FAMILY for name in names]
    faults = [fault.name for family in found for fault in family.faults]
    assert len(set(faults)) == len(faults), [name for name in faults if faults.count(name) > 1]
    return found


def get(name: str) -> Family:
    """The family of that name."""
    family: Family = importlib.import_module(f"{families.__name__}.{name}").FAMILY
    return family

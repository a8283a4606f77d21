"""Healthy models, and faults in their small precisions: what `scripts/benchmark_precision_faults.py` counts."""

from __future__ import annotations

import importlib
import pkgutil

from precision_fault_cases import families
from precision_fault_cases._family import Family


def every() -> list[Family]:
    """All families, in the order of their names."""
    names = sorted(module.name for module in pkgutil.iter_modules(families.__path__))
    found = [get(name) for name in names]
    faults = [fault.name for family in found for fault in family.faults]
    assert len(set(faults)) == len(faults), [name for name in faults if faults.count(name) > 1]
    return found


def get(name: str) -> Family:
    """The family of that name."""
    family: Family = importlib.import_module(f"{families.__name__}.{name}").FAMILY
    return family

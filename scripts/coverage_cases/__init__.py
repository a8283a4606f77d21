"""Models that the coverage page exports: Keras' layers and operations in their variants, and whole models."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from coverage_cases._case import Case

GROUPS = ("layers", "ops", "models", "applications", "hub", "packages")


def every(groups: Sequence[str] = GROUPS) -> list[Case]:
    """All cases of some groups; makes nothing yet."""
    found: list[Case] = []
    for group in groups:
        package = importlib.import_module(f"coverage_cases.{group}")
        kinds = getattr(package, "KINDS", None)
        modules = [importlib.import_module(f"{package.__name__}.{kind}") for kind in kinds] if kinds else [package]
        for module in modules:
            found += module.CASES
    names = [(case.group, case.name) for case in found]
    assert len(set(names)) == len(names), [name for name in names if names.count(name) > 1]
    return found

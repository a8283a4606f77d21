"""Lowerings replace operations that a converter lacks or gets wrong with operations that it has: one file each.

A file is named after the operation, and after the format too where it serves only one.
"""

from __future__ import annotations

from kexport.factory.lowerings._complex_pair import ComplexPair
from kexport.factory.lowerings._rule import (
    Lowering,
    Missing,
    UnsupportedError,
    get,
    in_order,
    names,
    needed_by,
)

__all__ = ["ComplexPair", "Lowering", "Missing", "UnsupportedError", "get", "in_order", "names", "needed_by"]

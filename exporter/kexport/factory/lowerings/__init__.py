"""What a converter lacks, or does wrongly, replaced by operations that it has: one file for each lowering.

A file is named after the operation, and after the format too where it serves only one.
"""

from __future__ import annotations

from kexport.factory.lowerings._complex_pair import ComplexPair
from kexport.factory.lowerings._rule import Lowering, Missing, get, in_order, names, needed_by

__all__ = ["ComplexPair", "Lowering", "Missing", "get", "in_order", "names", "needed_by"]

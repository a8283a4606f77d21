"""Adequacy: what the goldens of a build can see of its model, by gradients of the traced function and by changes."""

from kexport.factory.adequacy.assessment import Adequacy, see
from kexport.factory.adequacy.findings import require_subjects

__all__ = ["Adequacy", "require_subjects", "see"]

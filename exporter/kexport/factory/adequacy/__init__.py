"""Adequacy: what the goldens of a build can see of its model, by gradients of the traced function and by changes."""

from kexport.factory.adequacy.assessment import Adequacy, assess
from kexport.factory.adequacy.findings import require_subjects

__all__ = ["Adequacy", "assess", "require_subjects"]

"""Finds the layer at which an artifact diverges from its model."""

from kexport.factory.localisation.bundle_localisation import localise

__all__ = ["localise"]

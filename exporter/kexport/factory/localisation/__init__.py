"""Finds the layer at which an artifact diverges from its model."""

from kexport.factory.localisation.bundle_localisation import localise, localise_trusted

__all__ = ["localise", "localise_trusted"]

"""Finding the layer at which an artifact parts from its model."""

from kexport.factory.localisation.bundle_localisation import localise

__all__ = ["localise"]

"""Turning the intermediate tensors of an artifact into outputs: one file per format."""

from kexport.factory.localisation.intermediates._exposure import ArtifactTensor, Exposure, formats, get

__all__ = ["ArtifactTensor", "Exposure", "formats", "get"]

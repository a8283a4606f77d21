"""The domains of a model's inputs: declared, recorded or by default."""

from kexport.factory.inputs.domains import InputDomains, recordings, resolve_domains
from kexport.factory.inputs.recording import Recording

__all__ = ["InputDomains", "Recording", "recordings", "resolve_domains"]

"""Input domains: the values an input may take, as a range, integers, choices or recorded data."""

from kexport.bundle.domain.choice import Choice
from kexport.bundle.domain.protocol import Domain
from kexport.bundle.domain.ranges import Ints, Normal, Uniform
from kexport.bundle.domain.recording import Samples
from kexport.bundle.domain.text import parse

__all__ = ["Choice", "Domain", "Ints", "Normal", "Samples", "Uniform", "parse"]

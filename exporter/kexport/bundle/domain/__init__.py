"""Input domains: the values an input may take, as a range, integers, choices or recorded data."""

from kexport.bundle.domain.bins import Bins
from kexport.bundle.domain.choice import Choice
from kexport.bundle.domain.features import Features, placed, points_of
from kexport.bundle.domain.protocol import FEW, Domain
from kexport.bundle.domain.ranges import Ints, Normal, Uniform
from kexport.bundle.domain.recording import Samples
from kexport.bundle.domain.text import brief, parse
from kexport.bundle.domain.union import plain, spread, united

__all__ = [
    "FEW",
    "Bins",
    "Choice",
    "Domain",
    "Features",
    "Ints",
    "Normal",
    "Samples",
    "Uniform",
    "brief",
    "parse",
    "placed",
    "plain",
    "points_of",
    "spread",
    "united",
]

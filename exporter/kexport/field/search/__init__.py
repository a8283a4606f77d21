"""Searching for the inputs on which a runtime is furthest from its reference.

A `BundleSearch` searches a bundle and records a check of each runtime; `Reference` is what a runtime is compared with.
"""

from kexport.field.search.bundle_search import BundleSearch, Participants
from kexport.field.search.reference import Conditioning, PeerReference, Reference
from kexport.field.search.target import SearchTarget
from kexport.field.search.terms import Terms

__all__ = ["BundleSearch", "Conditioning", "Participants", "PeerReference", "Reference", "SearchTarget", "Terms"]

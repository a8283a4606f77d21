"""The language that factory and field share: signature, domains, manifest, goldens, reports, and the bundle itself.

NumPy is the only dependency. The names below are imported when first used; each module can be imported by itself.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kexport.bundle.domain import Bins, Choice, Domain, Features, Ints, Normal, Samples, Uniform
    from kexport.bundle.facts import Fact, Note
    from kexport.bundle.folder import Bundle
    from kexport.bundle.goldens import Golden
    from kexport.bundle.limits import OutputLimit
    from kexport.bundle.manifest import Artifact, Manifest
    from kexport.bundle.report import Check, CheckKind, Measurement, Observer, Report, Subject
    from kexport.bundle.signature import Array, Signature, TensorSpec
    from kexport.bundle.witnesses import Witness

__all__ = [
    "Array",
    "Artifact",
    "Bins",
    "Bundle",
    "Check",
    "CheckKind",
    "Choice",
    "Domain",
    "Fact",
    "Features",
    "Golden",
    "Ints",
    "Manifest",
    "Measurement",
    "Normal",
    "Note",
    "Observer",
    "OutputLimit",
    "Report",
    "Samples",
    "Signature",
    "Subject",
    "TensorSpec",
    "Uniform",
    "Witness",
]

_HOMES = {
    "Bundle": "folder",
    "Golden": "goldens",
    "OutputLimit": "limits",
    "Witness": "witnesses",
    **dict.fromkeys(("Artifact", "Manifest"), "manifest"),
    **dict.fromkeys(("Array", "Signature", "TensorSpec"), "signature"),
    **dict.fromkeys(("Bins", "Choice", "Domain", "Features", "Ints", "Normal", "Samples", "Uniform"), "domain"),
    **dict.fromkeys(("Check", "CheckKind", "Measurement", "Observer", "Report", "Subject"), "report"),
    **dict.fromkeys(("Fact", "Note"), "facts"),
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'kexport.bundle' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"kexport.bundle.{_HOMES[name]}"), name)

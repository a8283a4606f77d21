"""Verifying a bundle: digests, signatures, goldens, witnesses and contracts in every runtime.

The names below are imported when first used: a worker process that checks one runtime needs few of them.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kexport.field.verification.artifact_checks import check_artifact, check_parity
    from kexport.field.verification.artifact_in_runtime import ArtifactInRuntime
    from kexport.field.verification.bundle_checks import verify
    from kexport.field.verification.request import Processes, Verification
    from kexport.field.verification.run import verify_bundle
    from kexport.field.verification.runtime_checks import RuntimeChecks

__all__ = [
    "ArtifactInRuntime",
    "Processes",
    "RuntimeChecks",
    "Verification",
    "check_artifact",
    "check_parity",
    "verify",
    "verify_bundle",
]

_HOMES = {
    "ArtifactInRuntime": "artifact_in_runtime",
    "Processes": "request",
    "RuntimeChecks": "runtime_checks",
    "Verification": "request",
    "check_artifact": "artifact_checks",
    "check_parity": "artifact_checks",
    "verify": "bundle_checks",
    "verify_bundle": "run",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'kexport.field.verification' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"kexport.field.verification.{_HOMES[name]}"), name)

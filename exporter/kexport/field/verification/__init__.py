"""Verifying a bundle: digests, signatures, goldens, witnesses and contracts in every runtime."""

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

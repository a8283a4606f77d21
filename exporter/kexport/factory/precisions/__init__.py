"""Artifacts in small precisions: what is written of them, and the inputs on which their ranges are calibrated."""

from kexport.factory.precisions.calibration import calibration_inputs
from kexport.factory.precisions.choice import keep_smallest
from kexport.factory.precisions.kernel_outputs import record_kernels
from kexport.factory.precisions.mixed import with_mixed
from kexport.factory.precisions.reaching_inputs import reaching_inputs
from kexport.factory.precisions.recorded_budgets import record_budgets
from kexport.factory.precisions.small_artifacts import SmallArtifacts, require_kept

__all__ = [
    "SmallArtifacts",
    "calibration_inputs",
    "keep_smallest",
    "reaching_inputs",
    "record_budgets",
    "record_kernels",
    "require_kept",
    "with_mixed",
]

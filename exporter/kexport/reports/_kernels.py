"""The distance of integers from those that kernels gave at the build, as reports show it."""

from __future__ import annotations

from kexport.bundle.report import Check
from kexport.parity.kernel_steps import STEPS_METRIC

STEPS_LEGEND = (
    "LSB: steps of the output's scale, from what the same kernels gave at the build / from what the other kernels did"
)


def kernel_steps(check: Check) -> str:
    """Both distances of an output; empty where none was counted."""
    steps = check.metrics.get(STEPS_METRIC) or {}
    own, others = steps.get("own", "-"), max(steps.get("others", {}).values(), default="-")
    return f"{own} / {others}" if steps else ""

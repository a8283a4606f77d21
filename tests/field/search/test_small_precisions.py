"""Who is blamed where artifacts in small precisions differ by more than their budgets."""

import kexport
import precision_fault_cases
from kexport.parity.budget import Budget


def test_only_the_integers_that_saturate_are_blamed_and_no_small_precision_beside_them(tmp_path):
    family = precision_fault_cases.get("convolution")
    # Calibrated on draws from the domain, whose corners carry the outputs three times as far.
    bundle = kexport.build(
        family.healthy(0), tmp_path / "b", formats=["onnx", "tflite"], domain=dict(family.domain),
        precision="float16,dynamic,int8",
    )  # fmt: skip
    assert bundle.passed
    report = kexport.verify(bundle.path, ["onnxruntime", "litert"], search=Budget(evaluations=20000))
    failed = {check.artifact for check in report.checks if check.kind == "search" and not check.passed}
    assert failed == {"model.int8.onnx", "model.int8.tflite"}

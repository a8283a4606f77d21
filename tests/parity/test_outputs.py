"""All outputs of a signature are compared, each by its own limit."""

import numpy as np

from kexport.bundle.goldens import Golden
from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Signature, TensorSpec
from kexport.parity.outputs import OutputsComparison

SIGNATURE = Signature((), (TensorSpec("y", "float32", (None,)), TensorSpec("label", "int64", (None,))))
LIMITS = [OutputLimit("label", 1.0, 0.0, 0.0, "exact"), OutputLimit("y", 2.0, 1e-7, 5e-7, "float64 twin")]
TRUTH = {"y": np.array([1.0, -2.0]), "label": np.array([3, 4])}
VALUES = {"y": TRUTH["y"].astype("float32"), "label": np.array([3, 5])}


def test_each_output_has_an_outcome_by_name_in_the_order_of_the_signature():
    comparison = OutputsComparison(SIGNATURE, LIMITS)
    comparison.add("case", TRUTH, VALUES)
    outcomes = comparison.outcomes()
    assert list(outcomes) == ["y", "label"]
    assert outcomes["y"].passed
    assert outcomes["y"].identical
    assert not outcomes["label"].passed


def test_the_second_answer_and_the_sensitivity_of_a_golden_count_for_their_output_alone():
    golden = Golden("case", {}, TRUTH, {"label": VALUES["label"]}, {"y": np.array([1.0, 0.0], "float32")})
    comparison = OutputsComparison(SIGNATURE, LIMITS)
    comparison.add_golden(golden, {**VALUES, "y": np.array([7.0, -2.0], "float32")})
    outcomes = comparison.outcomes()
    assert outcomes["label"].passed
    assert outcomes["y"].excludes
    assert not outcomes["label"].excludes
